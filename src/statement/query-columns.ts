import type { CompiledQuery, RootOperationNode } from 'kysely'
import type { RowReader } from './rows.js'

/**
 * What the columns of tables mean in JavaScript, for the option `columns` of the dialects.
 * `columnTypes()` of `kysely-durable-sqlite/columns` and `drizzleColumns()` of
 * `kysely-durable-sqlite/drizzle` return it.
 */
export interface DurableObjectSqliteColumns {
  /**
   * Compiles a query whose values are encoded and whose rows can be decoded, by the plan that
   * {@link planOf} has for it.
   *
   * @hidden
   */
  compile(query: RootOperationNode, compiler: ColumnsCompiler): CompiledQuery
}

/** What `columns` needs of the dialect's compiler. */
export interface ColumnsCompiler {
  /**
   * Compiles the query. Where its values have to travel in JSON texts, in which none may be late, it
   * compiles the other one.
   */
  compile(query: RootOperationNode, withoutLateValues: () => RootOperationNode): CompiledQuery
  /** The names of a table's columns, in order, where there is a database to ask. */
  columnsOf(table: string): readonly string[] | undefined
}

/** What is to be done with the values of a compiled query, and with its rows. */
export interface QueryPlan {
  /** The query to run with the parameters: defaults are called, once for each execution. */
  bind(query: CompiledQuery, parameters: readonly unknown[]): BoundQuery
  /** Makes the reader of rows with these columns. Undefined where nothing is decoded. */
  readonly rowReader: ((columnNames: readonly string[]) => RowReader) | undefined
  /** Whether the compiled query has values in it that are for one execution. */
  readonly isForOneExecution: boolean
}

/** A compiled query, with the values that it is to be run with. */
export interface BoundQuery {
  readonly query: CompiledQuery
  readonly parameters: readonly unknown[]
}

/** What a copy of a compiled query has too. */
const PLAN = Symbol('plan')

interface PlannedQuery extends CompiledQuery {
  readonly [PLAN]?: QueryPlan
}

/** The plan of a query that was compiled with `columns`. */
export function planOf(query: PlannedQuery): QueryPlan | undefined {
  return query[PLAN]
}

export function withPlan(
  { query, queryId, sql, parameters }: CompiledQuery,
  plan: QueryPlan,
): CompiledQuery {
  const planned: PlannedQuery = { query, queryId, sql, parameters, [PLAN]: plan }
  return Object.freeze(planned)
}
