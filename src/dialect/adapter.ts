import { SqliteAdapter } from 'kysely'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'

/**
 * Tells Kysely what SQLite in a Durable Object can do, and programs that ask for Kysely's
 * `SqliteAdapter` that it is SQLite.
 */
export class DurableObjectSqliteAdapter extends SqliteAdapter {
  /** What the dialect runs its queries on, for those that are run without Kysely's driver. */
  readonly database: DurableObjectSqliteDatabase | undefined

  constructor(database?: DurableObjectSqliteDatabase) {
    super()
    this.database = database
  }

  /**
   * There is one database handle, but the driver itself makes queries wait for a transaction. With
   * Kysely's own mutex a query inside a `stream()` loop would wait for ever.
   */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** Migrations run in one transaction, and a transaction waits for the one before it. */
  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}
}
