import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { PendingBatch } from './pending-batch.js'
import type { RemoteGate } from './remote-gate.js'
import type { RemoteSession } from './remote-session.js'
import { RemoteTransaction } from './remote-transaction.js'
import { streamChunks } from './stream-chunks.js'
import { toWireQuery, type WireQuery } from './wire-query.js'
import { fromWireReply, fromWireResult, fromWireResults } from './wire-result.js'
import { withIndex } from './with-index.js'

/** `begin`, `commit`, … as Kysely logs it, and what it does. */
interface Control {
  readonly query: CompiledQuery
  run(): Promise<void>
}

/** What Kysely 0.29 passes and 0.28 does not. */
interface AbortableOptions {
  readonly signal?: AbortSignal
}

/** A connection to an object, on the session that all of them share. */
export class RemoteConnection implements DatabaseConnection {
  readonly #session: RemoteSession
  readonly #gate: RemoteGate
  #transaction: RemoteTransaction | undefined
  /** The last transaction that it was in. */
  #last: RemoteTransaction | undefined
  #control: Control | undefined
  #batch: PendingBatch | undefined

  constructor(session: RemoteSession, gate: RemoteGate) {
    this.#session = session
    this.#gate = gate
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined
  }

  async executeQuery<R>(query: CompiledQuery, options?: AbortableOptions): Promise<QueryResult<R>> {
    const control = this.#control
    if (control?.query === query) {
      this.#control = undefined
      await control.run()
      return { rows: [] }
    }
    if (this.#batch !== undefined) {
      return (await this.#batch.add()) as QueryResult<R>
    }
    if (this.#transaction !== undefined) {
      return await this.#transaction.execute(query)
    }
    const wireQuery = toWireQuery(query)
    await this.#waitForTurn(options)
    const reply = await this.#session.call((database) => database.execute(wireQuery), {
      sent: () => (isRead(query) ? 'read' : 'write'),
      isRepeatable: () => isRead(query),
      sql: query.sql,
    })
    return fromWireResult(fromWireReply(reply), query)
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    options?: AbortableOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    if (this.#transaction !== undefined) {
      yield* this.#transaction.stream<R>(query, chunkSize)
      return
    }
    const waitForTurn = (): Promise<void> => this.#waitForTurn(options)
    yield* streamChunks<R>(this.#session, query, { chunkSize, isRead: isRead(query), waitForTurn })
  }

  /** Runs the queries in one transaction, or in one savepoint of the open one, in one round trip. */
  executeBatch(queries: readonly CompiledQuery[]): Promise<readonly QueryResult<unknown>[]> {
    const batch = new PendingBatch()
    this.#batch = batch
    // By the method as it is now: Kysely puts its log around it.
    const results = queries.map((query) => this.executeQuery(query))
    this.#batch = undefined
    void batch.settle(this.#sendBatch(queries))
    return Promise.all(results)
  }

  /** Begins a transaction, as a query that Kysely's log sees. */
  begin(query: CompiledQuery, settings: TransactionSettings): Promise<unknown> {
    return this.#runControl(query, async () => {
      const transaction = new RemoteTransaction(this.#session, settings, () =>
        this.#gate.release(transaction),
      )
      await this.#gate.claim(transaction)
      this.#last = transaction
      this.#transaction = transaction
    })
  }

  /** Does something with the open transaction, as a query that Kysely's log sees. */
  inTransaction(
    query: CompiledQuery,
    run: (transaction: RemoteTransaction) => Promise<void>,
  ): Promise<unknown> {
    return this.#runControl(query, () => run(this.#openTransaction(query)))
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

  async #sendBatch(queries: readonly CompiledQuery[]): Promise<QueryResult<unknown>[]> {
    const wireQueries = queries.map(toWireQueryOfBatch)
    if (this.#transaction !== undefined) {
      return await this.#transaction.batch(wireQueries, queries)
    }
    await this.#waitForTurn(undefined)
    const reply = await this.#session.call((database) => database.batch(wireQueries), {
      sent: () => (queries.every(isRead) ? 'read' : 'write'),
      isRepeatable: () => queries.every(isRead),
      sql: undefined,
    })
    return fromWireResults(fromWireReply(reply), queries)
  }

  #runControl(query: CompiledQuery, run: () => Promise<void>): Promise<unknown> {
    this.#control = { query, run }
    return this.executeQuery(query)
  }

  #openTransaction({ sql }: CompiledQuery): RemoteTransaction {
    if (this.#transaction === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_TRANSACTION_ENDED',
        `There is no open transaction to ${sql}.`,
      )
    }
    return this.#transaction
  }

  async #waitForTurn(options: AbortableOptions | undefined): Promise<void> {
    if (this.#gate.isClosed) {
      await this.#gate.wait()
    }
    options?.signal?.throwIfAborted()
  }
}

function toWireQueryOfBatch(query: CompiledQuery, index: number): WireQuery {
  try {
    return toWireQuery(query)
  } catch (error) {
    throw withIndex(error, index)
  }
}

/** SQLite lets no `select` write. Of raw SQL Kysely does not tell. */
function isRead({ query }: Partial<CompiledQuery>): boolean {
  return query?.kind === 'SelectQueryNode'
}
