import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect, type DurableObjectSqliteDialectConfig } from '../src/index.js'
import { RemoteDatabase, type RemoteDatabaseOptions } from '../src/remote/index.js'

/** Options of the object's end of a remote `db`. */
export interface RemoteOptions extends RemoteDatabaseOptions {
  /** Told of each statement, inside the object. */
  readonly onStatement?: (sql: string, ctx: DurableObjectState) => void
}

/** By the object, as it is until it is reset. */
const openSessions = new WeakMap<SqlStorage, number>()

/** How many sessions of the object are open. */
export function countSessions({ sql }: DurableObjectStorage): number {
  return openSessions.get(sql) ?? 0
}

class CountedDatabase extends RemoteDatabase {
  readonly #sql: SqlStorage

  constructor(db: Kysely<unknown>, storage: DurableObjectStorage, options?: RemoteOptions) {
    super(db, storage, options)
    this.#sql = storage.sql
    this.#count(1)
  }

  /** Called by the platform when nobody has the session any more. */
  [Symbol.dispose](): void {
    this.#count(-1)
  }

  #count(change: number): void {
    openSessions.set(this.#sql, (openSessions.get(this.#sql) ?? 0) + change)
  }
}

const offered = new Map<string, (ctx: DurableObjectState) => RemoteDatabase>()

/** Says how an object is to make its `RemoteDatabase`, and returns the key to ask it for that. */
export function offerDatabase(
  dialect?: DurableObjectSqliteDialectConfig,
  options?: RemoteOptions,
): string {
  const key = crypto.randomUUID()
  offered.set(key, (ctx) => {
    const { storage } = ctx
    const db = new Kysely<unknown>({
      dialect: new DurableObjectSqliteDialect(storage, {
        ...(dialect?.transactionTimeout === undefined
          ? undefined
          : { transactionTimeout: dialect.transactionTimeout }),
        onQuery(event) {
          options?.onStatement?.(event.query.sql, ctx)
          dialect?.onQuery?.(event)
        },
      }),
    })
    return new CountedDatabase(db, storage, options)
  })
  return key
}

/** The `RemoteDatabase` that a test has asked for. */
export function makeDatabase(key: string, ctx: DurableObjectState): RemoteDatabase {
  return offered.get(key)!(ctx)
}
