import { type Dialect, type Kysely, SqliteAdapter } from 'kysely'
import type { SqlStorage } from '../platform/storage.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { MigrationLock } from './migration-lock.js'

export interface DurableObjectSqliteAdapterOptions {
  readonly dialect: Dialect
  readonly sql: SqlStorage
  /** Whether the dialect was made from `ctx.storage`. */
  readonly hasTransactions: boolean
  /** Milliseconds. */
  readonly transactionTimeout: number
}

/**
 * Kysely's adapter for SQLite in a Durable Object. The dialects create it. It extends Kysely's
 * `SqliteAdapter`, so libraries that check for that class recognize the database as SQLite.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObjectSqliteAdapter } from 'kysely-durable-sqlite'
 *
 * const isDurableObjectSqlite = db.getExecutor().adapter instanceof DurableObjectSqliteAdapter
 * ```
 *
 * @hideconstructor
 */
export class DurableObjectSqliteAdapter extends SqliteAdapter {
  /**
   * What the dialect runs its queries on, for those that are run without Kysely's driver.
   *
   * @hidden
   */
  readonly database: DurableObjectSqliteDatabase | undefined

  readonly #options: DurableObjectSqliteAdapterOptions | undefined

  constructor(database?: DurableObjectSqliteDatabase, options?: DurableObjectSqliteAdapterOptions) {
    super()
    this.database = database
    this.#options = options
  }

  /**
   * What it is an adapter of, for a Kysely that shares the connections of another.
   *
   * @hidden
   */
  get dialect(): Dialect | undefined {
    return this.#options?.dialect
  }

  /**
   * The same adapter on another view of the database.
   *
   * @hidden
   */
  onDatabase(database: DurableObjectSqliteDatabase): DurableObjectSqliteAdapter {
    return new DurableObjectSqliteAdapter(database, this.#options)
  }

  /**
   * True, although there is one database handle: the driver itself makes queries wait for a
   * transaction. With Kysely's own mutex, a query inside a `stream()` loop would wait forever.
   */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  /**
   * Whether Kysely's `Migrator` runs all migrations in one transaction. False for a dialect made from
   * `ctx.storage.sql`.
   */
  override get supportsTransactionalDdl(): boolean {
    return this.#options?.hasTransactions ?? true
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature
  override async acquireMigrationLock(db: Kysely<any>): Promise<void> {
    if (this.#options !== undefined) {
      const { sql, transactionTimeout } = this.#options
      await MigrationLock.of(sql).acquire(db, transactionTimeout)
    }
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature
  override async releaseMigrationLock(db: Kysely<any>): Promise<void> {
    if (this.#options !== undefined) {
      MigrationLock.of(this.#options.sql).release(db)
    }
  }
}
