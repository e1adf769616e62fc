import type { DurableObjectSqliteError } from '../platform/errors.js'
import type { StatementCost } from './statement-costs.js'

/** What queries read and wrote. */
export interface QueryCosts {
  /** Rows read, including those of indexes, as Cloudflare bills them. */
  readonly rowsRead: number
  /** Rows written, including those of indexes, as Cloudflare bills them. */
  readonly rowsWritten: number
  /** Returns the statements, most expensive first. */
  report(): StatementCost[]
}

/** Options of {@link QueryBudget}. */
export interface QueryBudgetOptions {
  /** How many rows the queries of one meter may read. Default: no limit. */
  readonly rowsRead?: number
  /** How many rows they may write, including those of indexes. Default: no limit. */
  readonly rowsWritten?: number
  /**
   * What happens when a statement takes a meter beyond the budget. With `'throw'`, the statement
   * rejects with `ERR_BUDGET_EXCEEDED`, and so does each one after it. A function is called with that
   * error and the meter, once for each meter. If the function throws, the statement rejects with what
   * it threw, and the function is called again for the next one. Default: `'throw'`.
   */
  readonly onExceeded?: 'throw' | ((error: DurableObjectSqliteError, costs: QueryCosts) => void)
}
