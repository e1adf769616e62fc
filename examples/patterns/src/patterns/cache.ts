import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor } from 'kysely-durable-sqlite'

interface Database {
  setting: { name: string; value: string }
}

/**
 * Rows that are read far more often than they change, kept in memory.
 *
 * Every change reads, writes and updates the cache without an `await` in between: nothing else can
 * run there. The cache takes a value only after its transaction, so that it never has what the
 * database has not. What takes time, such as a `fetch`, is done before.
 */
export class Settings extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })
  readonly #sync = new SyncExecutor(this.#db, this.ctx.storage)
  readonly #cache = new Map<string, string | undefined>()

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() =>
      this.#db.schema
        .createTable('setting')
        .ifNotExists()
        .addColumn('name', 'text', (column) => column.primaryKey().notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute(),
    )
  }

  read(name: string): string | undefined {
    if (!this.#cache.has(name)) {
      const setting = this.#sync.executeTakeFirst(
        this.#db.selectFrom('setting').select('value').where('name', '=', name),
      )
      this.#cache.set(name, setting?.value)
    }
    return this.#cache.get(name)
  }

  /** Appends to a value. */
  append(name: string, text: string): string {
    const value = (this.read(name) ?? '') + text
    this.#sync.run(this.#db.replaceInto('setting').values({ name, value }))
    this.#cache.set(name, value)
    return value
  }

  /** Changes several or none. */
  writeAll(values: Readonly<Record<string, string>>): void {
    const settings = Object.entries(values).map(([name, value]) => ({ name, value }))
    this.#sync.transaction(() => {
      for (const setting of settings) {
        this.#sync.run(this.#db.replaceInto('setting').values(setting))
      }
    })
    for (const { name, value } of settings) {
      this.#cache.set(name, value)
    }
  }
}
