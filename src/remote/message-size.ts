import { DurableObjectSqliteError } from '../platform/errors.js'

/**
 * What the platform says of a message that it does not carry.
 *
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/#limitations
 */
const TOO_LARGE = /^Serialized RPC arguments or return values are limited to/

export function isTooLarge(error: unknown): error is Error {
  return error instanceof Error && TOO_LARGE.test(error.message)
}

/** For a query whose values are too large to be sent. */
export function queryTooLarge(cause: Error, sql: string | undefined): DurableObjectSqliteError {
  return new DurableObjectSqliteError('ERR_MESSAGE_TOO_LARGE', cause.message, {
    cause,
    sql,
    hint:
      'A message to a Durable Object has at most 32 MiB. The query was not sent: split its values ' +
      'over several queries.',
  })
}

/** For a result that is too large to be sent, of a query that has run. */
export function resultTooLarge(cause: Error, sql: string | undefined): DurableObjectSqliteError {
  return new DurableObjectSqliteError('ERR_MESSAGE_TOO_LARGE', cause.message, {
    cause,
    sql,
    hint:
      'A result has at most 32 MiB on its way from a Durable Object. Read it with stream(), in ' +
      'chunks of fewer rows, or select less. The query has run: what it wrote is written.',
  })
}
