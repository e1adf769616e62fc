import type { CompiledQuery, QueryResult } from 'kysely'
import { TransactionalConnection } from '../dialect/transactional-connection.js'
import { PendingBatch } from './pending-batch.js'
import type { RemoteGate } from './remote-gate.js'
import type { RemoteSession } from './remote-session.js'
import type { RemoteTransaction } from './remote-transaction.js'
import { streamChunks } from './stream-chunks.js'
import { toWireQuery, type WireQuery } from './wire-query.js'
import { fromWireReply, fromWireResult, fromWireResults } from './wire-result.js'
import { withIndex } from './with-index.js'

/** What Kysely 0.29 passes and 0.28 does not. */
interface AbortableOptions {
  readonly signal?: AbortSignal
}

/** A connection to an object, on the session that all of them share. */
export class RemoteConnection extends TransactionalConnection<RemoteTransaction> {
  readonly #session: RemoteSession
  readonly #gate: RemoteGate
  #batch: PendingBatch | undefined

  constructor(session: RemoteSession, gate: RemoteGate) {
    super()
    this.#session = session
    this.#gate = gate
  }

  override async executeQuery<R>(
    query: CompiledQuery,
    options?: AbortableOptions,
  ): Promise<QueryResult<R>> {
    const control = this.takeControl(query)
    if (control !== undefined) {
      await control()
      return { rows: [] }
    }
    if (this.#batch !== undefined) {
      return (await this.#batch.add()) as QueryResult<R>
    }
    if (this.transaction !== undefined) {
      return await this.transaction.execute(query)
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

  override async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    options?: AbortableOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    if (this.transaction !== undefined) {
      yield* this.transaction.stream<R>(query, chunkSize)
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

  async #sendBatch(queries: readonly CompiledQuery[]): Promise<QueryResult<unknown>[]> {
    const wireQueries = queries.map(toWireQueryOfBatch)
    if (this.transaction !== undefined) {
      return await this.transaction.batch(wireQueries, queries)
    }
    await this.#waitForTurn(undefined)
    const reply = await this.#session.call((database) => database.batch(wireQueries), {
      sent: () => (queries.every(isRead) ? 'read' : 'write'),
      isRepeatable: () => queries.every(isRead),
      sql: undefined,
    })
    return fromWireResults(fromWireReply(reply), queries)
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
