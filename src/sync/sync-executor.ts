import { NoResultError, type CompiledQuery, type Kysely } from 'kysely'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import { withDoTransaction, type NotPromise } from '../transaction/with-do-transaction.js'
import { PreparedQuery } from './prepared-query.js'
import type { QueryParameters } from './query-parameter.js'
import {
  firstOrThrow,
  type FirstOutput,
  type NoResultErrorFactory,
  type SyncQuery,
} from './sync-query.js'
import { SyncSession } from './sync-session.js'

/**
 * Runs Kysely's queries without promises, since SQL in a Durable Object is synchronous. Use it in
 * `ctx.storage.transactionSync()`, in a getter, or in a WebSocket handler that nothing may interrupt.
 *
 * It takes the queries that `db` builds, and returns what awaiting them would. Values, errors, limits
 * and `onQuery` are those of the dialect. Kysely's `log` is not called. The plugins of `db` apply to
 * the results. A plugin that a query adds with its own `withPlugin()` applies only to its SQL.
 *
 * It never waits. While a `db.transaction()` is open, every call throws `ERR_TRANSACTION_OPEN`. An
 * executor made from `trx` works inside that transaction. After the transaction has ended, it throws
 * `ERR_TRANSACTION_ENDED`.
 *
 * The constructor throws `ERR_INVALID_DATABASE` if `db` has another dialect or another storage. It
 * throws `ERR_UNSUPPORTED_PLUGIN` for a plugin that returns its results only in a promise.
 *
 * ### Examples
 *
 * ```ts
 * import { SyncExecutor } from 'kysely-durable-sqlite'
 *
 * const sync = new SyncExecutor(db, ctx.storage)
 *
 * sync.run(db.insertInto('person').values({ name: 'Ada' }))
 * const people = sync.execute(db.selectFrom('person').selectAll())
 * ```
 */
export class SyncExecutor {
  readonly #storage: DurableObjectStorageLike
  readonly #session: SyncSession

  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  constructor(db: Kysely<any>, storage: DurableObjectStorageLike) {
    this.#storage = storage
    this.#session = new SyncSession(db, storage)
  }

  /**
   * Returns the rows of a query. For a write without `returning` it returns one `InsertResult`,
   * `UpdateResult` or `DeleteResult`. Throws {@link DurableObjectSqliteError}.
   */
  execute<O>(query: SyncQuery<O>): O[] {
    return this.#execute<O>(this.#session.compile(query))
  }

  /** Returns the first row or result, or undefined. */
  executeTakeFirst<O>(query: SyncQuery<O>): FirstOutput<O> {
    return this.execute(query)[0] as FirstOutput<O>
  }

  /** Returns the first row or result. If there is none, throws Kysely's `NoResultError` or your error. */
  executeTakeFirstOrThrow<O>(
    query: SyncQuery<O>,
    errorFactory: NoResultErrorFactory = NoResultError,
  ): O {
    const compiled = this.#session.compile(query)
    return firstOrThrow(this.#execute<O>(compiled), compiled, errorFactory)
  }

  /**
   * Runs a query only for its effect, which saves asking SQLite for the number of rows and the id. Rows
   * that the query returns are dropped.
   */
  run(query: SyncQuery<unknown>): void {
    const compiled = this.#session.compile(query)
    this.#session.run(compiled, compiled.parameters)
  }

  /**
   * Runs the closure in `ctx.storage.transactionSync()` and returns its result. If the closure throws,
   * everything it did is undone. Calls may be nested. If the closure returns a promise, it throws
   * `ERR_ASYNC_TRANSACTION`, as {@link withDoTransaction} does.
   *
   * ### Examples
   *
   * ```ts
   * import { SyncExecutor } from 'kysely-durable-sqlite'
   *
   * const sync = new SyncExecutor(db, ctx.storage)
   *
   * sync.transaction(() => {
   *   sync.run(db.updateTable('account').set('balance', 90).where('id', '=', 1))
   *   sync.run(db.updateTable('account').set('balance', 10).where('id', '=', 2))
   * })
   * ```
   */
  transaction<T>(closure: () => NotPromise<T>): T {
    this.#session.assertTurn()
    return withDoTransaction<DurableObjectStorageLike, T>(this.#storage, () => closure())
  }

  /**
   * Builds and compiles a query once, to run it with other values each time. A parameter may stand
   * wherever an expression may. A parameter whose type is an array is the list of an `in` or `not in`.
   *
   * Declare the types of the parameters where the function takes `param`: TypeScript then infers the
   * types of the rows. The function must only build the query. It is called again for values that need
   * other SQL, such as a `bigint`.
   *
   * ### Examples
   *
   * ```ts
   * import { type QueryParameters, SyncExecutor } from 'kysely-durable-sqlite'
   *
   * const sync = new SyncExecutor(db, ctx.storage)
   * const byEmail = sync.prepare((param: QueryParameters<{ email: string }>) =>
   *   db.selectFrom('person').selectAll().where('email', '=', param('email')),
   * )
   *
   * byEmail.executeTakeFirst({ email: 'ada@example.com' })
   * ```
   */
  prepare<P extends object, O = unknown>(
    build: (param: QueryParameters<P>) => SyncQuery<O>,
  ): PreparedQuery<P, O> {
    return new PreparedQuery(this.#session, build)
  }

  #execute<O>(query: CompiledQuery): O[] {
    // SQLite alone knows the type of the rows; Kysely's types state it.
    return this.#session.execute(query, query.parameters) as O[]
  }
}
