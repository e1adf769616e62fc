import type { CompiledQuery, QueryResult, TransactionSettings } from 'kysely'
import type { OpenTransaction } from '../dialect/transactional-connection.js'
import { transactionEnded } from '../transaction/transaction-errors.js'
import type { GateOwner } from '../transaction/transaction-gate.js'
import type { Command, Outcome } from './protocol.js'
import type { RemoteSession } from './remote-session.js'
import { toWireQuery, type WireQuery } from './wire-query.js'
import { fromWireError } from './wire-error.js'
import {
  fromWireReply,
  fromWireResult,
  fromWireResults,
  type WireReply,
  type WireResult,
} from './wire-result.js'

interface SentCommand {
  readonly command: Command
  readonly resolve: (reply: WireReply<Outcome>) => void
  readonly reject: (error: unknown) => void
}

/**
 * A transaction of which the Worker has one end. The object holds its own end open and asks, by calling
 * a function of this one, what to do next: see `Step`.
 *
 * It begins with its first statement, like `begin deferred` of SQLite: until then the object serves
 * others, and the two travel together.
 */
export class RemoteTransaction implements GateOwner, OpenTransaction {
  /** The object watches over its time. */
  readonly deadline = undefined
  readonly #session: RemoteSession
  readonly #settings: TransactionSettings
  /** Called when it has ended, to let in who waits. */
  readonly #release: () => void
  readonly #queue: SentCommand[] = []
  /** What the object is doing. */
  #current: SentCommand | undefined
  /** Tells the object, which is waiting for it, what to do next. */
  #answer: ((command: Command) => void) | undefined
  #hasBegun = false
  #hasAnswered = false
  #isEnding = false
  #hasEnded = false
  #isCommitted = false
  #failure: unknown

  constructor(session: RemoteSession, settings: TransactionSettings, release: () => void) {
    this.#session = session
    this.#settings = settings
    this.#release = release
  }

  get isCommitted(): boolean {
    return this.#isCommitted
  }

  async execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.#assertOpen()
    const outcome = await this.#send({ type: 'query', query: toWireQuery(query) })
    return fromWireResult(outcome as WireResult, query)
  }

  async batch(
    queries: readonly WireQuery[],
    compiled: readonly CompiledQuery[],
  ): Promise<QueryResult<unknown>[]> {
    this.#assertOpen()
    const outcome = await this.#send({ type: 'batch', queries })
    return fromWireResults(outcome as readonly WireResult[], compiled)
  }

  async *stream<R>(query: CompiledQuery, chunkSize: number): AsyncGenerator<QueryResult<R>, void> {
    this.#assertOpen()
    let outcome = await this.#send({ type: 'stream', query: toWireQuery(query), chunkSize })
    let isAtRow = false
    try {
      while (outcome !== null) {
        const chunk = fromWireResult<R>(outcome as WireResult, query)
        isAtRow = true
        yield chunk
        isAtRow = false
        if (chunk.rows.length < chunkSize) {
          return
        }
        this.#assertOpen()
        outcome = await this.#send({ type: 'next' })
      }
    } finally {
      if (isAtRow && !this.#isEnding && !this.#hasEnded) {
        await this.#send({ type: 'close' })
      }
    }
  }

  async savepoint(name: string): Promise<void> {
    this.#assertOpen()
    await this.#send({ type: 'savepoint', name })
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    this.#assertOpen()
    await this.#send({ type: 'rollback to', name })
  }

  async releaseSavepoint(name: string): Promise<void> {
    this.#assertOpen()
    await this.#send({ type: 'release', name })
  }

  /** A transaction that failed has been rolled back, and rejects. */
  async commit(): Promise<void> {
    this.#isEnding = true
    if (this.#failure !== undefined) {
      throw this.#failure
    }
    await this.#finish('commit')
    this.#isCommitted = true
  }

  /** Does nothing if that has been done. */
  async rollback(): Promise<void> {
    this.#isEnding = true
    if (!this.#hasEnded) {
      await this.#finish('rollback')
    }
  }

  async #finish(type: 'commit' | 'rollback'): Promise<void> {
    if (this.#hasBegun) {
      await this.#send({ type })
    } else {
      this.#close()
    }
  }

  #close(): void {
    this.#hasEnded = true
    this.#release()
  }

  #assertOpen(): void {
    if (this.#failure !== undefined) {
      throw this.#failure
    }
    if (this.#isEnding) {
      throw transactionEnded()
    }
  }

  async #send(command: Command): Promise<Outcome> {
    const reply = await new Promise<WireReply<Outcome>>((resolve, reject) => {
      this.#queue.push({ command, resolve, reject })
      this.#proceed()
    })
    return fromWireReply(reply)
  }

  #proceed(): void {
    if (this.#current !== undefined || this.#queue.length === 0) {
      return
    }
    const next = this.#queue.shift()!
    this.#current = next
    if (!this.#hasBegun) {
      this.#hasBegun = true
      void this.#begin(next.command)
      return
    }
    this.#answer?.(next.command)
    this.#answer = undefined
  }

  /** Lasts until the transaction has ended. */
  async #begin(first: Command): Promise<void> {
    try {
      const reply = await this.#session.call(
        (database) => database.transaction(this.#settings, first, (reply) => this.#step(reply)),
        {
          sent: () => (this.#current?.command.type === 'commit' ? 'commit' : 'transaction'),
          // Without a commit, what the first statement did is undone.
          isRepeatable: () => !this.#hasAnswered,
          sql: undefined,
        },
      )
      this.#end(reply)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Called by the object. */
  #step(reply: WireReply<Outcome>): Promise<Command> {
    this.#hasAnswered = true
    this.#current?.resolve(reply)
    this.#current = undefined
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#proceed()
    })
  }

  #end(reply: WireReply<Outcome>): void {
    if ('error' in reply) {
      this.#fail(fromWireError(reply.error))
      return
    }
    this.#close()
    this.#current?.resolve(reply)
    this.#current = undefined
  }

  /** The object has rolled back, and so there is nothing left to roll back here. */
  #fail(error: unknown): void {
    this.#failure ??= error
    this.#close()
    const left = [this.#current, ...this.#queue.splice(0)]
    this.#current = undefined
    for (const sent of left) {
      if (sent?.command.type === 'rollback') {
        sent.resolve({ ok: null })
      } else {
        sent?.reject(error)
      }
    }
  }
}
