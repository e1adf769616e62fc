import type { Kysely } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'
import { meteredKysely } from './metered-kysely.js'
import type { QueryBudgetOptions, QueryCosts } from './query-budget-options.js'
import { type StatementCost, StatementCosts } from './statement-costs.js'

/** How much of a statement an error quotes. */
const MAX_QUOTE = 300

/**
 * Counts what the queries of its `db` read and wrote. {@link QueryBudget.meter} makes it.
 *
 * ### Examples
 *
 * ```ts
 * import { QueryBudget, type QueryMeter } from 'kysely-durable-sqlite/cost'
 *
 * const meter: QueryMeter<Database> = new QueryBudget().meter(db)
 * await meter.db.selectFrom('person').selectAll().execute()
 *
 * for (const { sql, rowsRead } of meter.report()) {
 *   console.log(rowsRead, sql)
 * }
 * ```
 */
export class QueryMeter<DB = unknown> implements QueryCosts {
  /**
   * A Kysely instance like the one that the meter was made from, on the same connections, with the same
   * plugins and log. What is made from it is counted too: transactions and their savepoints, streams,
   * `withPlugin()`, a `SyncExecutor` and its prepared queries.
   */
  readonly db: Kysely<DB>
  readonly #options: QueryBudgetOptions
  readonly #costs = new StatementCosts()
  #isReported = false

  constructor(db: Kysely<DB>, options: QueryBudgetOptions) {
    this.#options = options
    this.db = meteredKysely(db, (event) => this.#count(event))
  }

  /** Rows read so far, as Cloudflare bills them. Those of a stream are counted when it ends. */
  get rowsRead(): number {
    return this.#costs.rowsRead
  }

  /** Rows written so far, including those of indexes, as Cloudflare bills them. */
  get rowsWritten(): number {
    return this.#costs.rowsWritten
  }

  /**
   * Returns the statements by SQL text, with the rows that all runs of each read and wrote. The most
   * expensive comes first. A row written counts as much as 1,000 rows read. If there are more than
   * 1,000 statements, the cheapest share one entry, `(other statements)`.
   *
   * https://developers.cloudflare.com/durable-objects/platform/pricing/#sqlite-storage-backend
   */
  report(): StatementCost[] {
    return this.#costs.report()
  }

  #count({ query: { sql }, rowsRead, rowsWritten, error }: DurableObjectSqliteQueryEvent): void {
    const costs = this.#costs
    costs.add(sql, rowsRead, rowsWritten)
    // What made the statement fail is what its caller has to know.
    if (error === undefined && this.#exceeded !== undefined && !this.#isReported) {
      this.#report(sql)
    }
  }

  get #exceeded(): 'rowsRead' | 'rowsWritten' | undefined {
    const { rowsRead = Infinity, rowsWritten = Infinity } = this.#options
    if (this.#costs.rowsWritten > rowsWritten) {
      return 'rowsWritten'
    }
    return this.#costs.rowsRead > rowsRead ? 'rowsRead' : undefined
  }

  #report(sql: string): void {
    const { onExceeded = 'throw' } = this.#options
    const error = this.#toError(sql)
    if (onExceeded === 'throw') {
      throw error
    }
    onExceeded(error, this)
    this.#isReported = true
  }

  #toError(sql: string): DurableObjectSqliteError {
    const { rowsRead = Infinity, rowsWritten = Infinity } = this.#options
    const costliest = this.#costs.costliest(this.#exceeded ?? 'rowsRead')
    return new DurableObjectSqliteError(
      'ERR_BUDGET_EXCEEDED',
      `The queries of this meter have read ${of(this.rowsRead, rowsRead)} and written ` +
        `${of(this.rowsWritten, rowsWritten)}. ${describe(costliest)} The statement that went beyond ` +
        'the budget has run; where it must not stay, run it in a transaction.',
      { sql },
    )
  }
}

function of(rows: number, limit: number): string {
  return limit === Infinity ? `${rows} rows` : `${rows} of ${limit} rows`
}

function describe(costliest: StatementCost | undefined): string {
  if (costliest === undefined) {
    return ''
  }
  const { sql, runs, rowsRead, rowsWritten } = costliest
  const quote = sql.length > MAX_QUOTE ? `${sql.slice(0, MAX_QUOTE)}…` : sql
  return `Most of it in ${runs} run${runs === 1 ? '' : 's'} of one statement, which read ${rowsRead} and wrote ${rowsWritten}: ${quote}.`
}
