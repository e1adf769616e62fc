import { DurableObject } from 'cloudflare:workers'
import { Kysely, sql } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  cursor: { user: string; position: number }
}

/** Milliseconds. */
const DELAY = 20

/**
 * Writes many small changes as one statement, and the last of several to one row only.
 *
 * Who changes something waits until it is written. Nothing is answered for that eviction could lose,
 * and a write that fails is an error for everyone who waits for it.
 */
export class Cursors extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage, {
      onQuery: ({ rowsWritten }) => {
        this.#rowsWritten += rowsWritten
      },
    }),
  })
  #rowsWritten = 0
  #pending = new Map<string, number>()
  #write: Promise<void> | undefined

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() =>
      this.#db.schema
        .createTable('cursor')
        .ifNotExists()
        .addColumn('user', 'text', (column) => column.primaryKey().notNull())
        .addColumn('position', 'integer', (column) => column.notNull())
        .modifyEnd(sql`without rowid`)
        .execute(),
    )
  }

  /** Resolves when the position is stored, or a later one of the same user. */
  move(user: string, position: number): Promise<void> {
    this.#pending.set(user, position)
    this.#write ??= this.#writePending()
    return this.#write
  }

  async positions(): Promise<Record<string, number>> {
    const rows = await this.#db.selectFrom('cursor').selectAll().orderBy('user').execute()
    return Object.fromEntries(rows.map(({ user, position }) => [user, position]))
  }

  /** What Cloudflare has billed since the object woke up. */
  rowsWritten(): number {
    return this.#rowsWritten
  }

  async #writePending(): Promise<void> {
    await scheduler.wait(DELAY)
    const changes = this.#pending
    this.#pending = new Map()
    this.#write = undefined
    await this.#db
      .insertInto('cursor')
      .values(Array.from(changes, ([user, position]) => ({ user, position })))
      .onConflict((conflict) =>
        conflict.column('user').doUpdateSet((eb) => ({ position: eb.ref('excluded.position') })),
      )
      .execute()
  }
}
