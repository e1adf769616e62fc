import type { CompiledQuery } from 'kysely'

/** What one statement cost, as Cloudflare bills it, and whether it failed: what `onQuery` is given. */
export interface DurableObjectSqliteQueryEvent {
  /** The statement, with the parameters that it ran with. */
  readonly query: CompiledQuery
  /** Rows read, those of index lookups and of the dialect's follow-up query included. */
  readonly rowsRead: number
  /** Rows written, those of indexes included. */
  readonly rowsWritten: number
  /**
   * What the query rejects with, where the statement failed. The rows are then 0 if SQLite refused it,
   * since SQLite does not say what it read before.
   */
  readonly error?: unknown
}

export type OnQuery = (event: DurableObjectSqliteQueryEvent) => void
