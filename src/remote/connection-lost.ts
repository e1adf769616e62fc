import { DurableObjectSqliteError } from '../platform/errors.js'

/** What was under way when the connection broke. */
export type Sent = 'read' | 'write' | 'transaction' | 'commit'

/** What the platform says of an error of its own. */
interface PlatformError extends Error {
  /** Thrown in the object, and not by the connection to it. */
  readonly remote?: boolean
  readonly durableObjectReset?: boolean
  readonly overloaded?: boolean
  readonly retryable?: boolean
}

/** Whether the object never got what was sent, because the stub belongs to another request. */
export function isOfAnotherRequest(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.message.startsWith('Cannot perform I/O on behalf of a different')
  )
}

/** What is wrong with a message itself, or with the function that opens the session. */
const NOT_SENT = new Set(['DataCloneError', 'TypeError'])

/**
 * Whether the connection broke, and the object did not answer: what its own code refuses comes as data.
 * What else is thrown is what the method that opens the session throws, or is no message at all.
 */
export function isConnectionLost(error: unknown): error is PlatformError {
  if (!(error instanceof Error) || NOT_SENT.has(error.name)) {
    return false
  }
  const { remote, durableObjectReset, overloaded, retryable } = error as PlatformError
  return remote !== true || durableObjectReset === true || overloaded === true || retryable === true
}

export function connectionLost(
  cause: PlatformError,
  sent: Sent,
  wasOpen: boolean,
  sql: string | undefined,
): DurableObjectSqliteError {
  const reason = cause.message.replace(/\.$/, '')
  return new DurableObjectSqliteError(
    'ERR_CONNECTION_LOST',
    wasOpen
      ? `The connection to the Durable Object was lost: ${reason}. ${FATES[sent]}`
      : `The connection to the Durable Object could not be opened: ${reason}. The statement did not run.`,
    { cause, sql },
  )
}

const FATES: Record<Sent, string> = {
  read: 'The query only reads. Send it again later.',
  write:
    'The statement may have run, and is not sent again. Find out what it did before you send it again.',
  transaction: 'The transaction is rolled back.',
  commit:
    'The transaction is committed or rolled back, as a whole. Find out which before you run it again.',
}
