import { DurableObjectSqliteError } from '../platform/errors.js'

export function transactionEnded(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_ENDED',
    'A query was sent on a transaction that is ending or has ended. Await every query before ' +
      'the transaction ends.',
  )
}

export function wroteInReadOnly(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_READ_ONLY_TRANSACTION',
    'A write was sent in a read only transaction, which is rolled back. Leave out ' +
      "setAccessMode('read only') where the transaction writes.",
  )
}

/** The duration is in milliseconds. */
export function openForTooLong(duration: number): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_TIMEOUT',
    `The transaction was open for longer than ${duration / 1000} s and has been rolled back: ` +
      'the platform resets an object after 30 s. Commit or roll back on every path, and do slow ' +
      'work before the transaction begins.',
  )
}
