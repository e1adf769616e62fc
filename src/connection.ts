import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type { DurableObjectSqliteDatabase } from './database.js'
import { DurableObjectSqliteError } from './errors.js'
import { Transaction, type TransactionOptions } from './transaction.js'
import type { TransactionGate } from './transaction-gate.js'

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
  readonly #database: DurableObjectSqliteDatabase
  readonly #gate: TransactionGate
  /** Milliseconds. */
  readonly #timeout: number
  #transaction: Transaction | undefined
  #control: Control | undefined

  constructor(database: DurableObjectSqliteDatabase, gate: TransactionGate, timeout: number) {
    this.#database = database
    this.#gate = gate
    this.#timeout = timeout
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
    if (this.#gate.owner !== undefined) {
      await this.#waitForTurn(options)
    }
    return this.#database.execute(query)
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
        } else if (this.#gate.owner !== undefined) {
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

  /**
   * Begins or ends a transaction or a savepoint as a query that passes through `executeQuery`, where
   * Kysely's log sees it.
   */
  async control(
    query: CompiledQuery,
    run: (transaction: Transaction) => Promise<void>,
  ): Promise<void> {
    this.#control = {
      query,
      run: async () => {
        if (this.#transaction === undefined) {
          throw new DurableObjectSqliteError(
            'ERR_TRANSACTION_ENDED',
            `There is no open transaction for \`${query.sql}\`.`,
          )
        }
        await run(this.#transaction)
      },
    }
    await this.executeQuery(query)
  }

  async begin(query: CompiledQuery, options: Omit<TransactionOptions, 'gate'>): Promise<void> {
    this.#control = {
      query,
      run: async () => {
        this.#transaction = await Transaction.begin({ ...options, gate: this.#gate })
      },
    }
    await this.executeQuery(query)
  }

  /** Makes the connection as good as new. A transaction that was left open is rolled back. */
  async reset(): Promise<void> {
    if (this.#transaction !== undefined) {
      await this.#transaction.rollback()
      this.#transaction = undefined
    }
  }

  async #waitForTurn(options: AbortableOptions | undefined): Promise<void> {
    await this.#gate.wait(this.#timeout)
    options?.signal?.throwIfAborted()
  }
}
