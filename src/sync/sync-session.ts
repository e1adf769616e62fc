import type {
  CompiledQuery,
  Kysely,
  OperationNode,
  QueryExecutorProvider,
  QueryResult,
  UnknownRow,
} from 'kysely'
import { DurableObjectSqliteAdapter } from '../dialect/adapter.js'
import { DurableObjectSqliteConnection } from '../dialect/connection.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import { Transaction } from '../transaction/transaction.js'
import { TransactionGate } from '../transaction/transaction-gate.js'
import { areValueIndependent, toResultTransforms } from './result-plugins.js'
import { toOutput, type SyncQuery } from './sync-query.js'

/** Runs compiled queries for a `SyncExecutor` and the queries that it prepares. */
export class SyncSession {
  /** Whether a query has the same SQL whatever its values are. */
  readonly isValueIndependent: boolean
  readonly #executorProvider: QueryExecutorProvider
  readonly #database: DurableObjectSqliteDatabase
  readonly #gate: TransactionGate
  /** The transaction that `db` is. */
  readonly #transaction: Transaction | undefined
  readonly #resultTransforms: ReturnType<typeof toResultTransforms>

  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  constructor(db: Kysely<any>, storage: DurableObjectStorageLike) {
    const { adapter, plugins } = db.getExecutor()
    const database = adapter instanceof DurableObjectSqliteAdapter ? adapter.database : undefined
    if (database?.isOn(storage.sql) !== true) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_DATABASE',
        'A SyncExecutor needs a Kysely on the storage that it is given: write ' +
          'new SyncExecutor(db, ctx.storage), where db has the dialect ' +
          'new DurableObjectSqliteDialect(ctx.storage).',
      )
    }
    this.#executorProvider = db
    this.#database = database
    this.#gate = TransactionGate.of(storage.sql)
    this.#resultTransforms = toResultTransforms(plugins)
    this.isValueIndependent = areValueIndependent(plugins)
    if (db.isTransaction) {
      this.#transaction = Transaction.openOn(storage.sql)
      if (this.#transaction === undefined || !mayBeIn(this.#transaction, db)) {
        throw ended()
      }
    }
  }

  compile<O>(query: SyncQuery<O>): CompiledQuery<O> {
    return 'compile' in query ? query.compile(this.#executorProvider) : query
  }

  toOperationNode(query: SyncQuery<unknown>): OperationNode {
    return 'compile' in query ? query.toOperationNode(this.#executorProvider) : query.query
  }

  /** What the `execute()` of the query would resolve to. */
  execute(query: CompiledQuery, parameters: readonly unknown[]): unknown[] {
    this.assertTurn()
    const refuseWrite = this.#transaction?.refuseWrite
    let result: QueryResult<unknown> = this.#database.execute(query, refuseWrite, parameters)
    for (const transform of this.#resultTransforms) {
      result = transform({ queryId: query.queryId, result: result as QueryResult<UnknownRow> })
    }
    return toOutput(query, result)
  }

  run(query: CompiledQuery, parameters: readonly unknown[]): void {
    this.assertTurn()
    this.#database.run(query, this.#transaction?.refuseWrite, parameters)
  }

  /**
   * Throws if the database is another transaction's. It cannot be waited for, and what is written now
   * would be undone if that transaction were rolled back.
   */
  assertTurn(): void {
    const transaction = this.#transaction
    if (this.#gate.owner !== transaction) {
      throw transaction === undefined ? openTransaction() : ended()
    }
    transaction?.assertOpen()
  }
}

/**
 * Whether the queries of `db` are in the open transaction. Kysely gives the connection at once, unless
 * something is using it, as a stream does: then its transaction is open, and there is but one.
 */
function mayBeIn(transaction: Transaction, db: Kysely<unknown>): boolean {
  let isIn = true
  try {
    db.getExecutor()
      .provideConnection(async (connection) => {
        isIn =
          connection instanceof DurableObjectSqliteConnection &&
          connection.transaction === transaction
      })
      .catch(() => {})
  } catch {
    // Thrown by Kysely where the transaction has ended.
    return false
  }
  return isIn
}

function openTransaction(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_OPEN',
    'A synchronous query cannot wait for the open db.transaction() to end. Inside the transaction ' +
      'use new SyncExecutor(trx, ctx.storage); elsewhere await the transaction first.',
  )
}

function ended(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_ENDED',
    'The transaction that the SyncExecutor was made from has ended. Make one from db instead, or ' +
      'one from trx in each transaction.',
  )
}
