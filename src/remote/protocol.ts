/**
 * What a Worker and an object say to each other. Everything is data, but for the functions and
 * `RpcTarget`s that hold a conversation: a transaction's `Step`, a stream's `RemoteCursorStub`.
 *
 * @module
 */
import type { TransactionSettings } from 'kysely'
import type { WireQuery } from './wire-query.js'
import type { WireReply, WireResult } from './wire-result.js'

/** What a transaction is to do next. */
export type Command =
  | { readonly type: 'query'; readonly query: WireQuery }
  | { readonly type: 'batch'; readonly queries: readonly WireQuery[] }
  | { readonly type: 'savepoint' | 'rollback to' | 'release'; readonly name: string }
  /** Opens the stream that `next` and `close` are then of. */
  | { readonly type: 'stream'; readonly query: WireQuery; readonly chunkSize: number }
  | { readonly type: 'next' | 'close' | 'commit' | 'rollback' }

/** What a command comes to: a query's result, a batch's, a stream's chunk, or nothing. */
export type Outcome = WireResult | readonly WireResult[] | null

/**
 * A function of the Worker's: the object calls it inside its transaction with the reply to the last
 * command, and is told the next. Calls into an object whose transaction is open would wait for its end.
 */
export type Step = (reply: WireReply<Outcome>) => PromiseLike<Command>

/** As the object has it. Its stub is the object's to dispose of. */
export interface StepStub extends Disposable {
  (reply: WireReply<Outcome>): PromiseLike<Command>
  dup(): StepStub
}

/** The rows of a stream, in the object. */
export interface RemoteCursorStub extends Disposable {
  /** The next chunk; null after the last one. */
  next(): Promise<WireReply<WireResult | null>>
  close(): Promise<void>
}

/** A `RemoteDatabase` as the Worker has it: the promise of one, on which methods can be called. */
export interface RemoteDatabaseStub extends Partial<Disposable> {
  execute(query: WireQuery): Promise<WireReply<WireResult>>
  batch(queries: readonly WireQuery[]): Promise<WireReply<readonly WireResult[]>>
  stream(query: WireQuery, chunkSize: number): RemoteCursorStub
  /** Resolves when the transaction has ended, to the reply to the command that ended it. */
  transaction(
    settings: TransactionSettings,
    first: Command,
    step: Step,
  ): Promise<WireReply<Outcome>>
}
