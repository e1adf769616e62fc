import type { ControlledTransaction, QueryResult } from 'kysely'
import { mapWithIndex } from '../platform/map-with-index.js'
import { executeBatch } from './execute-batch.js'
import type { Command, Outcome } from './protocol.js'
import { assertReadOnlyText } from './read-only.js'
import { fromWireQuery, type WireQuery } from './wire-query.js'
import { toWireReply, toWireResult, type WireReply } from './wire-result.js'

/** Does what a remote transaction is told to do, in the transaction that the object has open for it. */
export class CommandRunner {
  /** Which savepoints are open is for the dialect to know, so the types do not track it. */
  readonly #trx: ControlledTransaction<unknown, string[]>
  readonly #isReadOnly: boolean
  #failure: unknown
  #chunks: AsyncIterableIterator<QueryResult<unknown>> | undefined

  constructor(trx: ControlledTransaction<unknown, string[]>, isReadOnly: boolean) {
    this.#trx = trx
    this.#isReadOnly = isReadOnly
  }

  run(command: Command): Promise<WireReply<Outcome>> {
    return toWireReply(() => this.#run(command), this.#isReadOnly)
  }

  /** Throws if a statement was refused, after which a read only transaction can only be rolled back. */
  assertNotFailed(): void {
    if (this.#failure !== undefined) {
      throw this.#failure
    }
  }

  /** Closes the cursor of a stream that was not read to its end. */
  async closeStream(): Promise<void> {
    await this.#chunks?.return?.()
    this.#chunks = undefined
  }

  async #run(command: Command): Promise<Outcome> {
    this.assertNotFailed()
    const trx = this.#trx
    switch (command.type) {
      case 'query':
        return toWireResult(await trx.executeQuery(this.#toQuery(command.query)))
      case 'batch':
        return await this.#runBatch(command.queries)
      case 'savepoint':
        await trx.savepoint(command.name).execute()
        return null
      case 'rollback to':
        await trx.rollbackToSavepoint(command.name).execute()
        return null
      case 'release':
        await trx.releaseSavepoint(command.name).execute()
        return null
      case 'stream':
        await this.closeStream()
        this.#chunks = trx.getExecutor().stream(this.#toQuery(command.query), command.chunkSize)
        return await this.#nextChunk()
      case 'next':
        return await this.#nextChunk()
      case 'close':
      case 'commit':
      case 'rollback':
        await this.closeStream()
        return null
    }
  }

  async #runBatch(queries: readonly WireQuery[]): Promise<Outcome> {
    const compiled = mapWithIndex(queries, (query) => this.#toQuery(query))
    const results = await executeBatch(this.#trx, compiled)
    return results.map(toWireResult)
  }

  async #nextChunk(): Promise<Outcome> {
    const { done, value } = (await this.#chunks?.next()) ?? { done: true }
    return done ? null : toWireResult(value)
  }

  #toQuery(query: WireQuery) {
    if (this.#isReadOnly) {
      try {
        assertReadOnlyText(query.sql)
      } catch (error) {
        this.#failure = error
        throw error
      }
    }
    return fromWireQuery(query)
  }
}
