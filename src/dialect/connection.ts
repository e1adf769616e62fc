import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { isForeignKeysPragmaIgnored } from '../statement/pragmas.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import { Transaction, type TransactionOptions } from '../transaction/transaction.js'
import type { TransactionGate } from '../transaction/transaction-gate.js'

/** `begin`, `commit`, … as Kysely logs it, and what it does. */
interface Control {
  readonly query: CompiledQuery
  run(): Promise<void>
}

/** What Kysely 0.29 passes and 0.28 does not. */
interface AbortableOptions {
  readonly signal?: AbortSignal
}

/**
 * A connection to the only database handle that there is. What makes it one of several is the
 * transaction it may be in: the queries of all others wait until that ends.
 */
export class DurableObjectSqliteConnection implements DatabaseConnection {
  #database: DurableObjectSqliteDatabase
  readonly #gate: TransactionGate
  /** Milliseconds. */
  readonly #timeout: number
  readonly #storage: DurableObjectStorageLike | undefined
  #transaction: Transaction | undefined
  /** The last transaction that it was in. */
  #last: Transaction | undefined
  #control: Control | undefined

  constructor(
    database: DurableObjectSqliteDatabase,
    gate: TransactionGate,
    timeout: number,
    storage: DurableObjectStorageLike | undefined,
  ) {
    this.#database = database
    this.#gate = gate
    this.#timeout = timeout
    this.#storage = storage
  }

  /** The transaction that it is in. One that ended stays until it is rolled back or committed. */
  get transaction(): Transaction | undefined {
    return this.#transaction
  }

  /** Runs the queries that follow on another view of the database. Returns the one before. */
  exchangeDatabase(database: DurableObjectSqliteDatabase): DurableObjectSqliteDatabase {
    const before = this.#database
    this.#database = database
    return before
  }

  async executeQuery<R>(query: CompiledQuery, options?: AbortableOptions): Promise<QueryResult<R>> {
    const control = this.#control
    if (control?.query === query) {
      this.#control = undefined
      await control.run()
      return { rows: [] }
    }
    const transaction = this.#transaction
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

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    options?: AbortableOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const transaction = this.#transaction
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

  /** Begins a transaction, as a query that Kysely's log sees. */
  begin(query: CompiledQuery, options: Omit<TransactionOptions, 'gate'>): Promise<unknown> {
    this.#control = {
      query,
      run: async () => {
        this.#last = await Transaction.begin({ ...options, gate: this.#gate })
        this.#transaction = this.#last
      },
    }
    return this.executeQuery(query)
  }

  /** Does something with the open transaction, as a query that Kysely's log sees. */
  inTransaction(
    query: CompiledQuery,
    run: (transaction: Transaction) => Promise<void>,
  ): Promise<unknown> {
    this.#control = { query, run: () => run(this.#openTransaction(query)) }
    return this.executeQuery(query)
  }

  /**
   * Commits, as a query that Kysely's log sees. If that fails, or the log does, the connection stays in
   * the transaction, which takes no more queries, until it is rolled back.
   */
  async commit(query: CompiledQuery): Promise<void> {
    await this.inTransaction(query, (transaction) => transaction.commit())
    this.#transaction = undefined
  }

  /**
   * Rolls back, as a query that Kysely's log sees. Where the log threw after the commit there is
   * nothing to roll back.
   */
  async rollback(query: CompiledQuery): Promise<void> {
    if (this.#transaction?.isCommitted === true) {
      this.#transaction = undefined
    } else {
      await this.inTransaction(query, () => this.reset())
    }
  }

  /** Makes the connection as good as new. A transaction that was left open is rolled back. */
  async reset(): Promise<void> {
    const transaction = this.#transaction
    if (transaction !== undefined) {
      try {
        await transaction.rollback()
      } finally {
        this.#transaction = undefined
      }
    }
  }

  /**
   * Whether it is not to be used again, since it was in a transaction: a query that was sent there and
   * arrives late must not get into another one. It is refused from now on.
   */
  retire(): boolean {
    this.#transaction = this.#last
    return this.#last !== undefined
  }

  #openTransaction({ sql }: CompiledQuery): Transaction {
    if (this.#transaction === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_TRANSACTION_ENDED',
        `There is no open transaction to ${sql}.`,
      )
    }
    return this.#transaction
  }

  async #waitForTurn(options: AbortableOptions | undefined): Promise<void> {
    do {
      await this.#gate.wait(this.#timeout)
      options?.signal?.throwIfAborted()
    } while (this.#gate.isClosed)
  }
}
