import { RpcTarget } from 'cloudflare:workers'
import type { QueryResult } from 'kysely'
import { toWireReply, toWireResult, type WireReply, type WireResult } from './wire-result.js'

/** A stream whose chunks a Worker asks for. It is closed when the Worker lets go of it, too. */
export class RemoteCursor extends RpcTarget {
  readonly #chunks: AsyncIterableIterator<QueryResult<unknown>>

  constructor(chunks: AsyncIterableIterator<QueryResult<unknown>>) {
    super()
    this.#chunks = chunks
  }

  /** The next chunk; null after the last one. */
  async next(): Promise<WireReply<WireResult | null>> {
    return toWireReply(async () => {
      const { done, value } = await this.#chunks.next()
      return done ? null : toWireResult(value)
    })
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  [Symbol.dispose](): void {
    this.close().catch(() => {})
  }
}
