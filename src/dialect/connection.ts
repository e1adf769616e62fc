import type { CompiledQuery, QueryResult } from 'kysely'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { isForeignKeysPragmaIgnored } from '../statement/pragmas.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { mapWithIndex } from '../platform/map-with-index.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import type { Transaction } from '../transaction/transaction.js'
import type { TransactionGate } from '../transaction/transaction-gate.js'
import { type AbortableOptions, TransactionalConnection } from './transactional-connection.js'

/**
 * A connection to the only database handle that there is. What makes it one of several is the
 * transaction it may be in: the queries of all others wait until that ends.
 */
export class DurableObjectSqliteConnection extends TransactionalConnection<Transaction> {
  #database: DurableObjectSqliteDatabase
  readonly #gate: TransactionGate
  /** Milliseconds. */
  readonly #timeout: number
  readonly #storage: DurableObjectStorageLike | undefined

  constructor(
    database: DurableObjectSqliteDatabase,
    gate: TransactionGate,
    timeout: number,
    storage: DurableObjectStorageLike | undefined,
  ) {
    super()
    this.#database = database
    this.#gate = gate
    this.#timeout = timeout
    this.#storage = storage
  }

  /** Runs the queries that follow on another view of the database. Returns the one before. */
  exchangeDatabase(database: DurableObjectSqliteDatabase): DurableObjectSqliteDatabase {
    const before = this.#database
    this.#database = database
    return before
  }

  protected override async runQuery<R>(
    query: CompiledQuery,
    options?: AbortableOptions,
  ): Promise<QueryResult<R>> {
    const { transaction } = this
    if (transaction !== undefined) {
      transaction.assertOpen()
      return this.#database.execute(query, transaction.refuseWrite)
    }
    if (this.#gate.isClosed) {
      await this.#waitForTurn(options)
    }
    try {
      return this.#database.execute(query)
    } catch (error) {
      if (this.#storage === undefined || !isForeignKeysPragmaIgnored(error, query.sql)) {
        throw error
      }
      await this.#storage.sync()
      return this.#database.execute(query)
    }
  }

  override async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    options?: AbortableOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const { transaction } = this
    const chunks = this.#database.stream<R>(query, chunkSize, transaction?.refuseWrite)
    try {
      while (true) {
        if (transaction !== undefined) {
          transaction.assertOpen()
        } else if (this.#gate.isClosed) {
          await this.#waitForTurn(options)
        }
        const chunk = chunks.next()
        if (chunk.done) {
          return
        }
        yield chunk.value
      }
    } finally {
      chunks.return()
    }
  }

  /** Synchronous, so that it costs no more than its statements, and nothing comes between them. */
  protected override async runBatch(
    queries: readonly CompiledQuery[],
  ): Promise<readonly QueryResult<unknown>[]> {
    const { transaction } = this
    const storage = this.#storage ?? noTransactions()
    if (transaction !== undefined) {
      transaction.assertOpen()
    } else if (this.#gate.isClosed) {
      await this.#waitForTurn(undefined)
    }
    return storage.transactionSync(() =>
      mapWithIndex(queries, (query) => this.#database.execute(query, transaction?.refuseWrite)),
    )
  }

  async #waitForTurn(options: AbortableOptions | undefined): Promise<void> {
    do {
      await this.#gate.wait(this.#timeout)
      options?.signal?.throwIfAborted()
    } while (this.#gate.isClosed)
  }
}

/** Throws for a dialect made from `ctx.storage.sql`. */
export function noTransactions(): never {
  throw new DurableObjectSqliteError(
    'ERR_TRANSACTION_UNSUPPORTED',
    'Transactions need the storage of the Durable Object: write ' +
      'new DurableObjectSqliteDialect(ctx.storage) instead of ' +
      'new DurableObjectSqliteDialect(ctx.storage.sql).',
  )
}
