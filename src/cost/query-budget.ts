import type { ControlledTransaction, Kysely, Transaction } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'
import type { QueryBudgetOptions, QueryCosts } from './query-budget-options.js'
import { QueryMeter } from './query-meter.js'
import { type StatementCost, StatementCosts } from './statement-costs.js'

/**
 * A limit on the rows that the queries of one request or alarm may read and write.
 * {@link QueryBudget.meter} makes a meter for each.
 *
 * A statement that exceeds the budget has already run. In a transaction, the error undoes it.
 *
 * The constructor throws `ERR_INVALID_BUDGET` for a limit that is not a number of 0 or more.
 *
 * ### Examples
 *
 * ```ts
 * import { QueryBudget } from 'kysely-durable-sqlite/cost'
 *
 * const budget = new QueryBudget({ rowsRead: 10_000, rowsWritten: 1_000 })
 * const meter = budget.meter(db)
 *
 * await meter.db.selectFrom('person').selectAll().execute()
 *
 * console.log(meter.rowsRead, meter.rowsWritten, meter.report())
 * ```
 */
export class QueryBudget implements QueryCosts {
  readonly #options: QueryBudgetOptions
  readonly #costs = new StatementCosts()

  constructor(options: QueryBudgetOptions = {}) {
    for (const name of ['rowsRead', 'rowsWritten'] as const) {
      const limit = options[name]
      if (limit !== undefined && !(typeof limit === 'number' && limit >= 0)) {
        throw new DurableObjectSqliteError(
          'ERR_INVALID_BUDGET',
          `The limit ${name} of a QueryBudget is a number of rows, 0 or more. Leave it out for no limit.`,
        )
      }
    }
    this.#options = Object.freeze({ ...options })
  }

  /**
   * For the option `onQuery` of the dialect. With it, `rowsRead`, `rowsWritten` and `report()` of the
   * budget cover all queries since the budget was made, with or without a meter. Meters work without
   * it. It never throws.
   */
  readonly onQuery = ({ query, rowsRead, rowsWritten }: DurableObjectSqliteQueryEvent): void => {
    this.#costs.add(query.sql, rowsRead, rowsWritten)
  }

  /** Rows read by all queries that were reported to `onQuery`. */
  get rowsRead(): number {
    return this.#costs.rowsRead
  }

  /** Rows written by all queries that were reported to `onQuery`. */
  get rowsWritten(): number {
    return this.#costs.rowsWritten
  }

  /** Returns the same as {@link QueryMeter.report}, for all queries that were reported to `onQuery`. */
  report(): StatementCost[] {
    return this.#costs.report()
  }

  /**
   * Returns a new meter, which counts the queries of its own `db` and no others. If it is made from
   * `trx`, its `db` is that transaction.
   *
   * Throws `ERR_INVALID_DATABASE` if `db` has another dialect.
   */
  meter<DB>(
    db: Kysely<DB> | Transaction<DB> | ControlledTransaction<DB, string[]>,
  ): QueryMeter<DB> {
    return new QueryMeter(db, this.#options)
  }
}
