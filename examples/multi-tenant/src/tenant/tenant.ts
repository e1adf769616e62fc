import type { StandardSchemaV1 } from '@standard-schema/spec'
import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor } from 'kysely-durable-sqlite'
import { QueryBudget } from 'kysely-durable-sqlite/cost'
import { migrateToLatest, migrationsFromFiles } from 'kysely-durable-sqlite/migration'
import { RemoteDatabase } from 'kysely-durable-sqlite/remote'
import { actions, importedTasks } from '../actions.js'
import { type Answer, answer } from '../answer.js'
import { archiveDone } from './archive-done.js'
import { columns, type Database } from './database.generated.js'
import { exportTasks } from './export-tasks.js'
import { LiveList } from './live-list.js'
import * as tasks from './tasks.js'
import { drainUsageQueue } from './usage-queue.js'

const migrations = migrationsFromFiles(
  import.meta.glob<string>('./migrations/*.sql', { query: '?raw', import: 'default', eager: true }),
)

/**
 * What one action, or one session of the Worker, may cost.
 *
 * https://developers.cloudflare.com/durable-objects/platform/pricing/#sqlite-storage-backend
 */
const budget = new QueryBudget({ rowsRead: 10_000, rowsWritten: 10_000 })

/** Milliseconds. */
const ALARM_AFTER = 1000

/** All that one tenant has. Its name is the id of the tenant. */
export class Tenant extends DurableObject<Env> {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage, { columns }),
  })
  readonly #sync = new SyncExecutor(this.#db, this.ctx.storage)
  readonly #live = new LiveList(this.ctx, this.#db, this.#sync)

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(async () => {
      await migrateToLatest(ctx.storage, migrations)
      await this.#planAlarm()
    })
  }

  addTask(input: unknown): Promise<Answer<tasks.Task>> {
    return this.#act(actions.addTask, input, tasks.addTask)
  }

  completeTask(input: unknown): Promise<Answer<tasks.Task>> {
    return this.#act(actions.completeTask, input, tasks.completeTask)
  }

  completeTasks(input: unknown): Promise<Answer<tasks.Task[]>> {
    return this.#act(actions.completeTasks, input, tasks.completeTasks)
  }

  deleteTask(input: unknown): Promise<Answer<void>> {
    return this.#act(actions.deleteTask, input, tasks.deleteTask)
  }

  importTasks(input: unknown): Promise<Answer<number>> {
    return this.#act(importedTasks, input, tasks.importTasks)
  }

  archiveDone(input: unknown): Promise<Answer<number>> {
    return answer(actions.archiveDone, input, async () => {
      const count = await archiveDone(budget.meter(this.#db).db)
      await this.announce()
      return count
    })
  }

  /** An action that calls one of another object. Which tenant invites is the name of this one. */
  invite(input: unknown): Promise<Answer<string>> {
    return answer(actions.invite, input, () =>
      this.env.DIRECTORY.getByName('main').createInvitation(this.#id),
    )
  }

  /** For the Worker, which has the binding: with it one can do what the object can. */
  database(): RemoteDatabase {
    return new RemoteDatabase(budget.meter(this.#db).db, this.ctx.storage)
  }

  exportTasks(): ReadableStream<Uint8Array> {
    return exportTasks(this.#db)
  }

  /** `GET` with `Upgrade: websocket`, from the Worker, which says who it is. */
  override async fetch(request: Request): Promise<Response> {
    return this.#live.accept(request.headers.get('x-user') ?? '')
  }

  /** For the Worker, after it wrote something itself. */
  async announce(): Promise<void> {
    this.#live.announce()
    await this.#planAlarm()
  }

  disconnect(user: string): void {
    this.#live.disconnect(user)
  }

  /** The object lives on without tables until it is evicted, for nobody: the directory forgets it. */
  async deleteEverything(): Promise<void> {
    this.#live.disconnect()
    await this.ctx.storage.deleteAll()
  }

  override async alarm(): Promise<void> {
    this.#live.announce()
    await drainUsageQueue(this.#db, this.#id, this.env.DIRECTORY.getByName('main'))
  }

  get #id(): string {
    return this.ctx.id.name!
  }

  /**
   * Runs the action in a transaction and tells the sockets. Both are synchronous, so that nothing
   * comes between the commit and what clients hear of it.
   */
  #act<S extends StandardSchemaV1, T>(
    schema: S,
    input: unknown,
    action: (scope: tasks.Scope, args: StandardSchemaV1.InferOutput<S>) => T,
  ): Promise<Answer<T>> {
    return answer(schema, input, async (args) => {
      const { db } = budget.meter(this.#db)
      const sync = new SyncExecutor(db, this.ctx.storage)
      const value = sync.transaction<T>(() => action({ db, sync }, args) as never)
      await this.announce()
      return value
    })
  }

  /** An object has one alarm: the earlier one stays. */
  async #planAlarm(): Promise<void> {
    const { storage } = this.ctx
    const queued = await this.#db.selectFrom('change').select('seq').limit(1).executeTakeFirst()
    if (queued !== undefined && (await storage.getAlarm()) === null) {
      await storage.setAlarm(Date.now() + ALARM_AFTER)
    }
  }
}
