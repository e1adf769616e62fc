import { DurableObject } from 'cloudflare:workers'
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  request: { id: Generated<number>; at: number }
}

export interface RateLimit {
  readonly requests: number
  /** Milliseconds. */
  readonly window: number
}

/**
 * Allows so many requests in any window of time, one object a client.
 *
 * The table is made before the first request is let in. Requests outside the window are deleted, and
 * refused ones are not kept, so that the table never has more rows than the limit. Counting and
 * recording is one statement: there is no moment between them.
 */
export class RateLimiter extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(async () => {
      await this.#db.schema
        .createTable('request')
        .ifNotExists()
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('at', 'integer', (column) => column.notNull())
        .execute()
      await this.#db.schema
        .createIndex('request_at')
        .ifNotExists()
        .on('request')
        .column('at')
        .execute()
    })
  }

  /** Whether the request is within the limit. `now` is in milliseconds since the epoch. */
  async allow({ requests, window }: RateLimit, now = Date.now()): Promise<boolean> {
    await this.#db
      .deleteFrom('request')
      .where('at', '<=', now - window)
      .execute()
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('request')
      .columns(['at'])
      .expression(
        this.#db
          .selectNoFrom((eb) => eb.val(now).as('at'))
          .where(
            (eb) => eb.selectFrom('request').select(eb.fn.countAll<number>().as('count')),
            '<',
            requests,
          ),
      )
      .executeTakeFirst()
    return numInsertedOrUpdatedRows === 1n
  }
}
