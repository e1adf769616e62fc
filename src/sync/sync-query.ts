import {
  DeleteResult,
  InsertResult,
  isNoResultErrorConstructor,
  UpdateResult,
  type CompiledQuery,
  type NoResultErrorConstructor,
  type OperationNode,
  type QueryNode,
  type QueryExecutorProvider,
  type QueryResult,
} from 'kysely'

/**
 * A query that can be run synchronously: one of Kysely's query builders, schema builders or `sql`
 * templates, or a compiled query. `O` is the type of its rows.
 */
export type SyncQuery<O> =
  | {
      /** Kysely's method of the same name. */
      compile(executorProvider: QueryExecutorProvider): CompiledQuery<O>
      /** Kysely's method of the same name. */
      toOperationNode(executorProvider: QueryExecutorProvider): OperationNode
    }
  | CompiledQuery<O>

/** The first row, or undefined. A write without `returning` always has its one result. */
export type FirstOutput<O> = O extends InsertResult | UpdateResult | DeleteResult
  ? O
  : O | undefined

/**
 * What the `execute()` of Kysely's query builders makes of the result of a query. One that was compiled
 * elsewhere may have no node, as raw SQL has none that tells.
 */
export function toOutput(
  { query: node }: Partial<CompiledQuery>,
  { rows, insertId, numAffectedRows = 0n }: QueryResult<unknown>,
): unknown[] {
  switch (node?.kind) {
    case 'InsertQueryNode':
      return node.returning === undefined ? [new InsertResult(insertId, numAffectedRows)] : rows
    case 'UpdateQueryNode':
      return node.returning === undefined ? [new UpdateResult(numAffectedRows, undefined)] : rows
    case 'DeleteQueryNode':
      return node.returning === undefined ? [new DeleteResult(numAffectedRows)] : rows
    default:
      return rows
  }
}

/**
 * What makes the error to throw if a query returns nothing: a class, or a function that returns an
 * error.
 */
export type NoResultErrorFactory = NoResultErrorConstructor | ((node: QueryNode) => Error)

/** The first row or result. Throws if there is none. */
export function firstOrThrow<R>(
  rows: readonly R[],
  { query }: CompiledQuery,
  errorFactory: NoResultErrorFactory,
): R {
  const [row] = rows
  if (row === undefined) {
    // As Kysely does it; its type leaves out the nodes of raw SQL.
    const node = query as QueryNode
    throw isNoResultErrorConstructor(errorFactory) ? new errorFactory(node) : errorFactory(node)
  }
  return row
}
