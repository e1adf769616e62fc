import type { CompiledQuery, QueryResult } from 'kysely'
import type { RemoteCursorStub } from './protocol.js'
import type { CallOptions, RemoteSession } from './remote-session.js'
import { toWireQuery } from './wire-query.js'
import { fromWireReply, fromWireResult, type WireReply, type WireResult } from './wire-result.js'

export interface StreamOptions {
  readonly chunkSize: number
  readonly isRead: boolean
  /** Waits for the open transaction of the same Kysely instance. */
  readonly waitForTurn: () => Promise<void>
}

type ChunkReply = WireReply<WireResult | null>

/**
 * Asks for chunks before they are wanted, so that two are under way. Leaving the loop closes the cursor
 * in the object.
 */
export async function* streamChunks<R>(
  session: RemoteSession,
  query: CompiledQuery,
  { chunkSize, isRead, waitForTurn }: StreamOptions,
): AsyncGenerator<QueryResult<R>, void> {
  const wireQuery = toWireQuery(query)
  const options: CallOptions = {
    sent: () => (isRead ? 'read' : 'write'),
    isRepeatable: () => isRead,
    sql: query.sql,
  }
  await waitForTurn()
  const [cursor, underWay, first] = await session.call(async (database) => {
    const opened = database.stream(wireQuery, chunkSize)
    const chunks = [ask(opened), ask(opened)]
    return [opened, chunks, await chunks.shift()!] as const
  }, options)
  let reply = first
  let isOpen = true
  try {
    while (true) {
      const result = fromWireReply(reply)
      if (result === null) {
        isOpen = false
        return
      }
      const chunk = fromWireResult<R>(result, query)
      isOpen = chunk.rows.length === chunkSize
      if (isOpen) {
        underWay.push(ask(cursor))
      }
      yield chunk
      if (!isOpen) {
        return
      }
      await waitForTurn()
      reply = await session.call(() => underWay.shift()!, { ...options, isRepeatable: () => false })
    }
  } catch (error) {
    isOpen = false
    throw error
  } finally {
    if (isOpen) {
      await cursor.close()
    }
    cursor[Symbol.dispose]()
  }
}

/** What it rejects with is seen when it is awaited, if it is. */
function ask(cursor: RemoteCursorStub): Promise<ChunkReply> {
  const chunk = cursor.next()
  // The platform's promise wants both functions.
  void chunk.then(ignore, ignore)
  return chunk
}

function ignore(): void {}
