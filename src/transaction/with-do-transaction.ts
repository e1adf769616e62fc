import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'

/**
 * What the closure of a synchronous transaction may return: anything but a promise. Use it in a
 * function of your own that passes a closure on to `SyncExecutor.transaction()` or
 * {@link withDoTransaction}.
 *
 * ### Examples
 *
 * ```ts
 * import { type NotPromise, SyncExecutor } from 'kysely-durable-sqlite'
 *
 * const sync = new SyncExecutor(db, ctx.storage)
 *
 * function logged<T>(closure: () => NotPromise<T>): T {
 *   const result = sync.transaction<T>(closure)
 *   console.log('committed')
 *   return result
 * }
 * ```
 */
export type NotPromise<T> = T extends PromiseLike<unknown> ? never : T

/**
 * Runs the closure in a synchronous transaction, on `ctx.storage.transactionSync()`, and returns its
 * result. If the closure throws, everything it did is undone and the error is rethrown. Calls may be
 * nested, and may run inside `db.transaction()`.
 *
 * If the closure returns a promise, everything is undone and `ERR_ASYNC_TRANSACTION` is thrown: code
 * after its first `await` would run outside the transaction. That code cannot be stopped.
 *
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#transactionsync
 *
 * ### Examples
 *
 * ```ts
 * import { withDoTransaction } from 'kysely-durable-sqlite'
 *
 * const balance = withDoTransaction(ctx.storage, (sql) => {
 *   sql.exec('update account set balance = balance - ? where id = ?', 10, 1)
 *   return sql.exec('select balance from account where id = ?', 1).one()['balance']
 * })
 * ```
 */
export function withDoTransaction<
  S extends Pick<DurableObjectStorageLike, 'sql' | 'transactionSync'>,
  T,
>(storage: S, closure: (sql: S['sql']) => NotPromise<T>): T {
  return storage.transactionSync((): T => {
    const result = closure(storage.sql)
    if (isPromiseLike(result)) {
      // Its own failure would be reported as unhandled, next to the error thrown here.
      result.then(undefined, () => {})
      throw new DurableObjectSqliteError(
        'ERR_ASYNC_TRANSACTION',
        'The closure of a synchronous transaction returned a promise, and everything it did has ' +
          'been undone. Leave out `async` and `await`, or use db.transaction().',
      )
    }
    return result
  })
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
