/**
 * What this library needs of a Durable Object's storage, described structurally, so that `ctx.storage`
 * fits whether its type comes from `@cloudflare/workers-types` or from `wrangler types`.
 *
 * @module
 */

/** A value as `ctx.storage.sql` returns it. A BLOB is an `ArrayBuffer`. */
export type SqlStorageValue = ArrayBuffer | string | number | null

/**
 * The cursor that {@link SqlStorage.exec} returns.
 *
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 */
export interface SqlStorageCursor {
  /** The names of the columns; empty for a statement that returns no rows. */
  readonly columnNames: string[]
  /** Rows read so far, including index rows. */
  readonly rowsRead: number
  /**
   * Rows written so far, including index rows: what Cloudflare bills, not the number of changed rows.
   */
  readonly rowsWritten: number
  /** Returns the only row. Throws if there is none, or more than one. */
  one(): Record<string, SqlStorageValue>
  /**
   * Returns the remaining rows as arrays, in the order of `columnNames`. The platform's types lack its
   * `toArray()`.
   */
  raw(): IterableIterator<SqlStorageValue[]> & {
    /** All of them at once. */
    toArray?(): SqlStorageValue[][]
  }
}

/** `ctx.storage.sql` of a SQLite-backed Durable Object. */
export interface SqlStorage {
  /** Runs SQL at once, with a value for each `?`. */
  exec(query: string, ...bindings: unknown[]): SqlStorageCursor
}

/** `ctx.storage` of a SQLite-backed Durable Object. */
export interface DurableObjectStorageLike {
  /** The database. */
  readonly sql: SqlStorage
  /** Runs the closure in a transaction, which ends when its promise is settled. */
  transaction<T>(closure: (transaction: { rollback(): void }) => Promise<T>): Promise<T>
  /** Runs the closure in a synchronous transaction. */
  transactionSync<T>(closure: () => T): T
  /** Waits until everything written so far is on disk, which ends the implicit transaction. */
  sync(): Promise<void>
}
