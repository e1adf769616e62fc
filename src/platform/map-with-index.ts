import { DurableObjectSqliteError } from './errors.js'

/** What the function returns for each query of a batch. The error of one has the index of that query. */
export function mapWithIndex<T, R>(
  queries: readonly T[],
  run: (query: T, index: number) => R,
): R[] {
  return queries.map((query, index) => {
    try {
      return run(query, index)
    } catch (error) {
      if (error instanceof DurableObjectSqliteError) {
        ;(error as { index: number | undefined }).index = index
      }
      throw error
    }
  })
}
