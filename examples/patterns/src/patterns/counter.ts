import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  counter: { name: string; value: number }
}

/**
 * Counters that start at 0 and miss no increment.
 *
 * Reading, adding and writing is one statement, so there is no first time to forget and no `await`
 * at which another increment could slip in.
 */
export class Counter extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() =>
      this.#db.schema
        .createTable('counter')
        .ifNotExists()
        .addColumn('name', 'text', (column) => column.primaryKey().notNull())
        .addColumn('value', 'integer', (column) => column.notNull())
        .execute(),
    )
  }

  /** Adds and returns the new value. */
  async increment(name: string, by = 1): Promise<number> {
    if (!Number.isSafeInteger(by)) {
      throw new TypeError(`A counter counts in whole numbers, not by ${by}.`)
    }
    const { value } = await this.#db
      .insertInto('counter')
      .values({ name, value: by })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet((eb) => ({ value: eb('counter.value', '+', eb.ref('excluded.value')) })),
      )
      .returning('value')
      .executeTakeFirstOrThrow()
    return value
  }

  async read(name: string): Promise<number> {
    const counter = await this.#db
      .selectFrom('counter')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirst()
    return counter?.value ?? 0
  }
}
