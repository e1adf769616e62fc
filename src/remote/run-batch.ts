import type { CompiledQuery, QueryResult } from 'kysely'
import { withIndex } from './with-index.js'
import type { WireQuery } from './wire-query.js'
import { toWireResult, type WireResult } from './wire-result.js'

/** Runs the queries one after the other, up to the first that fails, whose error has its index. */
export async function runBatch(
  trx: { executeQuery(query: CompiledQuery): Promise<QueryResult<unknown>> },
  queries: readonly WireQuery[],
  toQuery: (query: WireQuery) => CompiledQuery,
): Promise<readonly WireResult[]> {
  const results: WireResult[] = []
  for (const query of queries) {
    try {
      results.push(toWireResult(await trx.executeQuery(toQuery(query))))
    } catch (error) {
      throw withIndex(error, results.length)
    }
  }
  return results
}
