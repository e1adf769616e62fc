import type { CompiledQuery } from 'kysely'

/** What `onQuery` gets: what one statement cost, as Cloudflare bills it, and whether it failed. */
export interface DurableObjectSqliteQueryEvent {
  /** The statement, with the parameters that it ran with. */
  readonly query: CompiledQuery
  /** Rows read, including those of index lookups and of the dialect's follow-up query. */
  readonly rowsRead: number
  /** Rows written, including those of indexes. */
  readonly rowsWritten: number
  /**
   * The error that the query rejects with, if the statement failed. If SQLite refused it, `rowsRead`
   * and `rowsWritten` are 0, since SQLite does not say what it had read.
   */
  readonly error?: unknown
}

export type OnQuery = (event: DurableObjectSqliteQueryEvent) => void
