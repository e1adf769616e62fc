import { DurableObject } from 'cloudflare:workers'
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  queued_view: { id: Generated<number>; page: string }
  page_views: { page: string; views: number }
}

/** Milliseconds. */
const INTERVAL = 5_000
const RETRY = 30_000
const BATCH = 500

/**
 * Collects page views and writes them in batches, by an alarm.
 *
 * The queue is a table, so it is there after eviction. A row leaves it in the transaction that writes
 * its batch: written and gone, or not written and still there. A row and the alarm that will come
 * for it are made in one transaction, too. The platform gives up an alarm that has failed some times,
 * so a failed batch sets the next alarm itself:
 * https://developers.cloudflare.com/durable-objects/api/alarms/
 */
export class ViewCounter extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(async () => {
      await this.#db.schema
        .createTable('queued_view')
        .ifNotExists()
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('page', 'text', (column) => column.notNull())
        .execute()
      await this.#db.schema
        .createTable('page_views')
        .ifNotExists()
        .addColumn('page', 'text', (column) => column.primaryKey().notNull())
        .addColumn('views', 'integer', (column) => column.notNull())
        .execute()
    })
  }

  async view(page: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx.insertInto('queued_view').values({ page }).execute()
      await this.#wakeIn(INTERVAL)
    })
  }

  override async alarm(): Promise<void> {
    await this.flush()
  }

  /** Writes what is queued, in batches. A failed one stays queued. */
  async flush(): Promise<void> {
    try {
      let isEmpty = false
      while (!isEmpty) {
        isEmpty = await this.#writeBatch()
      }
    } catch (error) {
      console.error('The batch will be tried again:', error)
      await this.#wakeIn(RETRY)
    }
  }

  async views(): Promise<Database['page_views'][]> {
    return this.#db.selectFrom('page_views').selectAll().orderBy('page').execute()
  }

  async queued(): Promise<number> {
    const { count } = await this.#db
      .selectFrom('queued_view')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }

  /** Returns whether the queue is empty now. */
  #writeBatch(): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const batch = await trx
        .selectFrom('queued_view')
        .select('id')
        .orderBy('id')
        .limit(BATCH)
        .execute()
      const last = batch.at(-1)?.id ?? 0
      await trx
        .insertInto('page_views')
        .columns(['page', 'views'])
        .expression((eb) =>
          eb
            .selectFrom('queued_view')
            .select(({ fn }) => ['page', fn.countAll<number>().as('views')])
            .where('id', '<=', last)
            .groupBy('page'),
        )
        .onConflict((conflict) =>
          conflict.column('page').doUpdateSet((eb) => ({
            views: eb('page_views.views', '+', eb.ref('excluded.views')),
          })),
        )
        .execute()
      await trx.deleteFrom('queued_view').where('id', '<=', last).execute()
      return batch.length < BATCH
    })
  }

  /** An object has one alarm: the earlier one stays. */
  async #wakeIn(milliseconds: number): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now() + milliseconds)
    }
  }
}
