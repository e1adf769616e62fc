import { DurableObjectSqliteError } from '../platform/errors.js'

/** The error of a query of a batch, with the index of that query. */
export function withIndex(error: unknown, index: number): unknown {
  if (error instanceof DurableObjectSqliteError) {
    ;(error as { index: number | undefined }).index = index
  }
  return error
}
