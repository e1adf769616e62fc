import type { CompiledQuery, QueryResult } from 'kysely'
import { mapWithIndex } from '../platform/map-with-index.js'
import {
  type AbortableOptions,
  TransactionalConnection,
} from '../dialect/transactional-connection.js'
import type { RemoteGate } from './remote-gate.js'
import type { RemoteSession } from './remote-session.js'
import type { RemoteTransaction } from './remote-transaction.js'
import { streamChunks } from './stream-chunks.js'
import { toWireQuery } from './wire-query.js'
import { fromWireReply, fromWireResult, fromWireResults } from './wire-result.js'

/** A connection to an object, on the session that all of them share. */
export class RemoteConnection extends TransactionalConnection<RemoteTransaction> {
  readonly #session: RemoteSession
  readonly #gate: RemoteGate

  constructor(session: RemoteSession, gate: RemoteGate) {
    super()
    this.#session = session
    this.#gate = gate
  }

  protected override async runQuery<R>(
    query: CompiledQuery,
    options?: AbortableOptions,
  ): Promise<QueryResult<R>> {
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

  /** In one round trip. */
  protected override async runBatch(
    queries: readonly CompiledQuery[],
  ): Promise<readonly QueryResult<unknown>[]> {
    const wireQueries = mapWithIndex(queries, toWireQuery)
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

/** SQLite lets no `select` write. Of raw SQL Kysely does not tell. */
function isRead({ query }: Partial<CompiledQuery>): boolean {
  return query?.kind === 'SelectQueryNode'
}
