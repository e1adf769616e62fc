import {
  type Compilable,
  type CompiledQuery,
  DeleteResult,
  InsertResult,
  type Kysely,
  type KyselyPlugin,
  type QueryResult,
  type UnknownRow,
  UpdateResult,
} from 'kysely'
import { toOutput } from '../sync/sync-query.js'
import { executeBatch } from './execute-batch.js'

/** A query for {@link batch}: a query builder, or a compiled query. `O` is the type of its rows. */
export type BatchQuery<O = unknown> = Compilable<O> | CompiledQuery<O>

/** What a query of a batch returns: its rows or, for a write without `returning`, its one result. */
export type BatchOutput<O> = [O] extends [InsertResult | UpdateResult | DeleteResult] ? O : O[]

/** What {@link batch} returns: a tuple of the outputs of the queries, in their order. */
export type BatchOutputs<Q extends readonly BatchQuery[]> = {
  -readonly [I in keyof Q]: Q[I] extends BatchQuery<infer O> ? BatchOutput<O> : never
}

/**
 * Runs the queries in one transaction, all of them or none, and returns the result of each. On a remote
 * `db` that is one round trip. It also works on a local `db`. On a `trx`, it is part of that
 * transaction.
 *
 * Rejects with the error of the first query that fails; its `index` is the position of that query. The
 * plugins of `db` apply to the results. A plugin that a query adds with its own `withPlugin()` applies
 * only to its SQL. Throws `ERR_INVALID_DATABASE` if `db` has another dialect.
 *
 * ### Examples
 *
 * ```ts
 * import { batch } from 'kysely-durable-sqlite/remote'
 *
 * const [people, { insertId }] = await batch(db, [
 *   db.selectFrom('person').selectAll(),
 *   db.insertInto('person').values({ name: 'Ada' }),
 * ])
 * ```
 */
export async function batch<const Q extends readonly BatchQuery[]>(
  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  db: Kysely<any>,
  queries: Q,
): Promise<BatchOutputs<Q>> {
  const compiled = queries.map((query) => ('compile' in query ? query.compile() : query))
  const { plugins } = db.getExecutor()
  const results = compiled.length === 0 ? [] : await executeBatch(db, compiled)
  const outputs: unknown[] = []
  for (const [index, query] of compiled.entries()) {
    const output = toOutput(query, await transform(results[index]!, query, plugins))
    outputs.push(isResultOfWrite(output[0]) ? output[0] : output)
  }
  return outputs as BatchOutputs<Q>
}

async function transform(
  result: QueryResult<unknown>,
  { queryId }: CompiledQuery,
  plugins: readonly KyselyPlugin[],
): Promise<QueryResult<unknown>> {
  for (const plugin of plugins) {
    result = await plugin.transformResult({ queryId, result: result as QueryResult<UnknownRow> })
  }
  return result
}

function isResultOfWrite(output: unknown): boolean {
  return (
    output instanceof InsertResult ||
    output instanceof UpdateResult ||
    output instanceof DeleteResult
  )
}
