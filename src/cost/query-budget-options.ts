import type { DurableObjectSqliteError } from '../platform/errors.js'
import type { StatementCost } from './statement-costs.js'

/** What queries read and wrote. */
export interface QueryCosts {
  /** Rows read, those of indexes included, as Cloudflare bills them. */
  readonly rowsRead: number
  /** Rows written, those of indexes included, as Cloudflare bills them. */
  readonly rowsWritten: number
  /** Returns the statements, the costliest first. */
  report(): StatementCost[]
}

/** Options of {@link QueryBudget}. */
export interface QueryBudgetOptions {
  /** How many rows the queries of one meter may read. Default: no limit. */
  readonly rowsRead?: number
  /** How many rows they may write, those of indexes included. Default: no limit. */
  readonly rowsWritten?: number
  /**
   * What to do about a statement after which a meter is beyond the budget. With `'throw'` the statement
   * rejects with `ERR_BUDGET_EXCEEDED`, and so does each one after it. A function is called with that
   * error and the meter, once for each meter. If the function throws, the statement rejects with that,
   * and the function is called for the next one too. Default: `'throw'`.
   */
  readonly onExceeded?: 'throw' | ((error: DurableObjectSqliteError, costs: QueryCosts) => void)
}
