import type {
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
} from 'kysely'
import { DurableObjectSqliteAdapter } from './adapter.js'
import { DurableObjectSqliteDatabase } from '../statement/database.js'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'
import { DurableObjectSqliteDriver } from './driver.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { DurableObjectSqliteIntrospector } from './introspector.js'
import { DurableObjectSqliteQueryCompiler } from '../compiler/query-compiler.js'
import type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { toTimeout } from '../platform/timeout.js'

/** Options of {@link DurableObjectSqliteDialect}. */
export interface DurableObjectSqliteDialectConfig {
  /**
   * What columns mean in JavaScript: `columnTypes()` of `kysely-durable-sqlite/columns`, or
   * `drizzleColumns()` of `kysely-durable-sqlite/drizzle`. Default: values are as SQLite has them.
   */
  readonly columns?: DurableObjectSqliteColumns
  /**
   * Called once for each statement, with the rows that it read and wrote: what Cloudflare bills. If the
   * statement failed, `error` is set. If the function throws, the query rejects with that error, and
   * what it wrote stays. Default: none.
   *
   * https://developers.cloudflare.com/durable-objects/platform/pricing/#sqlite-storage-backend
   */
  readonly onQuery?: (event: DurableObjectSqliteQueryEvent) => void
  /**
   * How long a query or a transaction waits for another transaction to end, in milliseconds. Then it
   * rejects with `ERR_TRANSACTION_TIMEOUT`. A positive number; `Infinity` for no limit. Default:
   * 10,000.
   */
  readonly transactionTimeout?: number
}

const DEFAULT_TRANSACTION_TIMEOUT = 10_000

/**
 * Kysely's dialect for the SQLite database of a Durable Object.
 *
 * Made from `ctx.storage`, it does everything. Made from `ctx.storage.sql`, it does everything except
 * transactions, which reject with `ERR_TRANSACTION_UNSUPPORTED`. Kysely's `Migrator` then runs each
 * migration without one.
 *
 * The constructor throws `ERR_INVALID_STORAGE` for anything else, and `ERR_INVALID_OPTION` if
 * `transactionTimeout` is not a positive number.
 *
 * A `stream()` reads rows as you ask for them, and is not a snapshot. Inside a transaction, Kysely lets
 * nothing else run on `trx` while a stream is open, not even the commit. So a query on `trx` in the
 * loop waits forever. Use `new SyncExecutor(trx, ctx.storage)` in the loop, or `execute()` instead of
 * `stream()`.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObject } from 'cloudflare:workers'
 * import { type Generated, Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 *
 * interface Database {
 *   person: { id: Generated<number>; name: string }
 * }
 *
 * export class People extends DurableObject {
 *   readonly #db = new Kysely<Database>({
 *     dialect: new DurableObjectSqliteDialect(this.ctx.storage),
 *   })
 *
 *   async add(name: string): Promise<number> {
 *     const { id } = await this.#db
 *       .insertInto('person')
 *       .values({ name })
 *       .returning('id')
 *       .executeTakeFirstOrThrow()
 *     return id
 *   }
 * }
 * ```
 *
 * The generated SQL:
 *
 * ```sql
 * insert into `person` (`name`) values (?) returning `id`
 * ```
 */
export class DurableObjectSqliteDialect implements Dialect {
  readonly #sql: SqlStorage
  readonly #storage: DurableObjectStorageLike | undefined
  readonly #database: DurableObjectSqliteDatabase
  readonly #columns: DurableObjectSqliteColumns | undefined
  readonly #transactionTimeout: number

  constructor(
    storage: DurableObjectStorageLike | SqlStorage,
    config: DurableObjectSqliteDialectConfig = {},
  ) {
    if (isSqlStorage(storage)) {
      this.#sql = storage
    } else if (isSqlStorage(storage?.sql)) {
      this.#sql = storage.sql
      this.#storage = storage
    } else {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_STORAGE',
        'Pass the storage of the Durable Object: new DurableObjectSqliteDialect(ctx.storage).',
      )
    }
    this.#database = new DurableObjectSqliteDatabase(this.#sql, {
      onQuery: config.onQuery,
      storage: this.#storage,
    })
    this.#columns = config.columns
    this.#transactionTimeout = toTimeout(config.transactionTimeout, DEFAULT_TRANSACTION_TIMEOUT)
  }

  createDriver(): Driver {
    return new DurableObjectSqliteDriver({
      database: this.#database,
      sql: this.#sql,
      storage: this.#storage,
      transactionTimeout: this.#transactionTimeout,
    })
  }

  createQueryCompiler(): QueryCompiler {
    return new DurableObjectSqliteQueryCompiler(this.#sql, this.#columns)
  }

  createAdapter(): DialectAdapter {
    return new DurableObjectSqliteAdapter(this.#database, {
      dialect: this,
      sql: this.#sql,
      hasTransactions: this.#storage !== undefined,
      transactionTimeout: this.#transactionTimeout,
    })
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new DurableObjectSqliteIntrospector(db)
  }

  /**
   * Returns the dialect itself, so that a deep copy of a configuration still refers to this one
   * database.
   */
  clone(): this {
    return this
  }
}

function isSqlStorage(
  storage: DurableObjectStorageLike | SqlStorage | undefined,
): storage is SqlStorage {
  return typeof (storage as Partial<SqlStorage> | undefined)?.exec === 'function'
}
