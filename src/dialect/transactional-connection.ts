import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'

/** What Kysely 0.29 passes and 0.28 does not. */
export interface AbortableOptions {
  readonly signal?: AbortSignal
}

/** A transaction that is open, in this object or in another. */
export interface OpenTransaction {
  readonly isCommitted: boolean
  /** Whether it was open for too long, and has been rolled back. */
  readonly hasExpired?: boolean
  commit(): Promise<void>
  rollback(): Promise<void>
  savepoint(name: string): Promise<void>
  rollbackToSavepoint(name: string): Promise<void>
  releaseSavepoint(name: string): Promise<void>
}

/** What Kysely logs, and what is done for it: of `begin`, of `commit`, of a query of a batch. */
interface Control {
  readonly query: CompiledQuery
  readonly run: () => Promise<void>
}

/** A connection that may be in a transaction, which begins and ends by queries that Kysely's log sees. */
export abstract class TransactionalConnection<
  T extends OpenTransaction,
> implements DatabaseConnection {
  #transaction: T | undefined
  /** The last transaction that it was in. */
  #last: T | undefined
  #control: Control | undefined
  /** The transaction, which has ended, that refuses whatever is sent from now on. */
  #fence: T | undefined

  /** Runs a query that stands for nothing else. */
  protected abstract runQuery<R>(
    query: CompiledQuery,
    options?: AbortableOptions,
  ): Promise<QueryResult<R>>

  abstract streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
  ): AsyncIterableIterator<QueryResult<R>>

  /** Runs the queries in one transaction or, in one, as a part of it that is undone alone. */
  protected abstract runBatch(
    queries: readonly CompiledQuery[],
  ): Promise<readonly QueryResult<unknown>[]>

  executeQuery<R>(query: CompiledQuery, options?: AbortableOptions): Promise<QueryResult<R>> {
    const control = this.#control
    if (control?.query !== query) {
      return this.runQuery(query, options)
    }
    this.#control = undefined
    return runControl(control)
  }

  /** The transaction that it is in. One that ended stays until it is rolled back or committed. */
  get transaction(): T | undefined {
    return this.#transaction
  }

  /** Runs the queries, all of them or none. The error of one has its `index`. */
  async executeBatch(queries: readonly CompiledQuery[]): Promise<readonly QueryResult<unknown>[]> {
    const results = this.runBatch(queries)
    await Promise.all(
      queries.map((query) => this.#execute(query, async () => void (await results))),
    )
    return await results
  }

  /** Begins a transaction. */
  begin(query: CompiledQuery, begin: () => Promise<T>): Promise<unknown> {
    if (this.#fence !== undefined) {
      return this.executeQuery(query)
    }
    return this.#execute(query, async () => {
      this.#last = await begin()
      this.#transaction = this.#last
    })
  }

  /** Does something with the open transaction. */
  inTransaction(query: CompiledQuery, run: (transaction: T) => Promise<void>): Promise<unknown> {
    return this.#execute(query, () => run(this.#openTransaction(query)))
  }

  /**
   * Commits. If that fails, or the log does, the connection stays in the transaction, which takes no
   * more queries, until it is rolled back.
   */
  async commit(query: CompiledQuery): Promise<void> {
    await this.inTransaction(query, (transaction) => transaction.commit())
    this.#transaction = this.#fence
  }

  /** Rolls back. Where the log threw after the commit there is nothing to roll back. */
  async rollback(query: CompiledQuery): Promise<void> {
    if (this.#transaction?.isCommitted === true) {
      this.#transaction = this.#fence
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
        this.#transaction = this.#fence
      }
    }
  }

  /** Stays in the transaction that it is in, which has ended and refuses every query, for ever. */
  fence(): void {
    this.#fence = this.#transaction
  }

  /**
   * Whether it is not to be used again, since it was in a transaction: a query that was sent there and
   * arrives late must not get into another one. It is refused from now on.
   */
  retire(): boolean {
    this.#transaction = this.#last
    return this.#last !== undefined
  }

  /** By the method as it is now: Kysely puts its log around it. */
  #execute(query: CompiledQuery, run: () => Promise<void>): Promise<unknown> {
    this.#control = { query, run }
    return this.executeQuery(query)
  }

  #openTransaction({ sql }: CompiledQuery): T {
    if (this.#transaction === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_TRANSACTION_ENDED',
        `There is no open transaction to ${sql}.`,
      )
    }
    return this.#transaction
  }
}

/** Does what the query stands for, instead of it. */
async function runControl({ run }: Control): Promise<QueryResult<never>> {
  await run()
  return { rows: [] }
}
