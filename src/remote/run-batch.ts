import type { CompiledQuery, QueryResult } from 'kysely'
import { assertReadOnlyText } from './read-only.js'
import { withIndex } from './with-index.js'
import { fromWireQuery, type WireQuery } from './wire-query.js'
import { toWireResult, type WireResult } from './wire-result.js'

/** Runs the queries one after the other, up to the first that fails, whose error has its index. */
export async function runBatch(
  trx: { executeQuery(query: CompiledQuery): Promise<QueryResult<unknown>> },
  queries: readonly WireQuery[],
  isReadOnly: boolean,
): Promise<readonly WireResult[]> {
  const results: WireResult[] = []
  for (const query of queries) {
    try {
      if (isReadOnly) {
        assertReadOnlyText(query.sql)
      }
      results.push(toWireResult(await trx.executeQuery(fromWireQuery(query))))
    } catch (error) {
      throw withIndex(error, results.length)
    }
  }
  return results
}
