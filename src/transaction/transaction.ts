import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { type Level, openLevel } from './level.js'
import { openForTooLong, transactionEnded, wroteInReadOnly } from './transaction-errors.js'
import { type GateOwner, TransactionGate } from './transaction-gate.js'

/**
 * The platform resets an object whose `blockConcurrencyWhile()`, which is what
 * `storage.transaction()` runs in, takes more than 30 s.
 *
 * https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
 */
const MAX_DURATION = 25_000

/** Called where a statement has written that must not; throws. */
export type RefuseWrite = () => never

type Outcome = 'commit' | 'rollback'

export interface TransactionOptions {
  readonly storage: DurableObjectStorageLike
  readonly gate: TransactionGate
  readonly readOnly: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** A transaction whose begin and end are separate calls, on `ctx.storage.transaction()`. */
export class Transaction implements GateOwner {
  /** Rejects with `ERR_TRANSACTION_TIMEOUT` if another transaction does not end. */
  static async begin(options: TransactionOptions): Promise<Transaction> {
    const { gate, timeout } = options
    const transaction = new Transaction(options)
    do {
      if (gate.isClosed) {
        await gate.wait(timeout, transaction)
      }
    } while (!(await transaction.#begin()))
    return transaction
  }

  /** The transaction that is open on the database. */
  static openOn(sql: SqlStorage): Transaction | undefined {
    const { owner } = TransactionGate.of(sql)
    return owner instanceof Transaction ? owner : undefined
  }

  /** Of a read only transaction: makes it fail, and throws why. */
  readonly refuseWrite: RefuseWrite | undefined
  readonly #storage: DurableObjectStorageLike
  readonly #gate: TransactionGate
  /** From the transaction itself to the innermost savepoint. */
  readonly #levels: Level[] = []
  #deadline: number | undefined
  #failure: unknown
  #isEnding = false
  /** Settles when it has ended. */
  #ended: Promise<void> | undefined
  /** What is being done with savepoints, the last of it. */
  #turn: Promise<void> | undefined
  /** The last time that savepoints were closed. */
  #closing: Promise<void> | undefined
  #isCommitted = false
  #hasExpired = false
  #onExpiry: ((error: unknown) => void) | undefined

  private constructor({ storage, gate, readOnly }: TransactionOptions) {
    this.#storage = storage
    this.#gate = gate
    this.refuseWrite = readOnly ? () => this.#fail(wroteInReadOnly()) : undefined
  }

  /** When it is rolled back, in milliseconds since the epoch, unless it is ending. */
  get deadline(): number | undefined {
    return this.#isEnding ? undefined : this.#deadline
  }

  get isCommitted(): boolean {
    return this.#isCommitted
  }

  /** Whether it was open for too long, and has been rolled back. */
  get hasExpired(): boolean {
    return this.#hasExpired
  }

  /** Throws if the transaction takes no more queries. */
  assertOpen(): void {
    if (this.#failure !== undefined) {
      throw this.#failure
    }
    if (this.#isEnding) {
      throw transactionEnded()
    }
  }

  async savepoint(name: string): Promise<void> {
    await this.#inTurn(() => this.#openSavepoint(name))
  }

  /** Undoes what was done since the savepoint, which stays open. */
  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#closeSavepoint(name, 'rollback')
      await this.#openSavepoint(name)
    })
  }

  /** Ends the savepoint and those within it, keeping what was done. */
  async releaseSavepoint(name: string): Promise<void> {
    await this.#inTurn(() => this.#closeSavepoint(name, 'commit'))
  }

  /** Commits, open savepoints included. A transaction that failed is rolled back, and rejects. */
  async commit(): Promise<void> {
    if (this.#failure !== undefined) {
      await this.rollback()
      throw this.#failure
    }
    if (this.#isEnding) {
      throw transactionEnded()
    }
    await this.#end('commit')
    this.#isCommitted = true
  }

  /** Rolls back. Does nothing if it has ended, and waits for that if it is ending. */
  async rollback(): Promise<void> {
    if (!this.#isEnding) {
      await this.#end('rollback')
      return
    }
    try {
      await this.#ended
    } catch {
      // A commit that failed, and was rolled back.
    }
  }

  /** Rolls back a transaction that was open for too long, before the platform resets the object. */
  expire(): void {
    this.#failure ??= openForTooLong(MAX_DURATION)
    this.#hasExpired = true
    // Where even that fails, the platform resets the object.
    this.rollback().catch(() => {})
    this.#onExpiry?.(this.#failure)
  }

  /** What the promise resolves to. Rejects if the transaction is open for too long before. */
  untilExpired<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onExpiry = reject
      promise.then(resolve, reject)
    })
  }

  /** False if the platform has admitted it while something else has the database. */
  async #begin(): Promise<boolean> {
    try {
      if (await this.#open(undefined)) {
        return true
      }
    } catch (error) {
      this.#gate.release(this)
      throw error
    }
    this.#gate.release(this)
    return false
  }

  #end(outcome: Outcome): Promise<void> {
    this.#isEnding = true
    this.#ended = this.#closeAll(outcome)
    return this.#ended
  }

  async #closeAll(outcome: Outcome): Promise<void> {
    try {
      if (this.#closing !== undefined) {
        await this.#closing.catch(() => {})
      }
      await this.#closeFrom(0, outcome)
    } catch (error) {
      await this.#closeFrom(0, 'rollback')
      throw error
    } finally {
      this.#gate.release(this)
    }
  }

  /** Does one thing with savepoints after the other. Kysely 0.28 does not see to that. */
  async #inTurn(run: () => Promise<void>): Promise<void> {
    this.assertOpen()
    const turn = this.#afterTurn(this.#turn, run)
    this.#turn = turn
    try {
      await turn
    } finally {
      if (this.#turn === turn) {
        this.#turn = undefined
      }
    }
  }

  async #afterTurn(before: Promise<void> | undefined, run: () => Promise<void>): Promise<void> {
    if (before !== undefined) {
      await before.catch(() => {})
      this.assertOpen()
    }
    await run()
  }

  async #openSavepoint(name: string): Promise<void> {
    this.assertOpen()
    await this.#open(name)
    this.assertOpen()
  }

  async #closeSavepoint(name: string, outcome: Outcome): Promise<void> {
    this.#closing = this.#closeFrom(this.#indexOf(name), outcome)
    await this.#closing
  }

  /** Makes the transaction fail: whatever is done next, it is rolled back. */
  #fail(error: DurableObjectSqliteError): never {
    this.#failure ??= error
    throw error
  }

  async #closeFrom(index: number, outcome: Outcome): Promise<void> {
    while (this.#levels.length > index) {
      await this.#closeInnermost(this.#levels.at(-1)!, outcome)
      if (this.#levels.length > 0) {
        this.#gate.watch()
      }
    }
  }

  async #closeInnermost(level: Level, outcome: Outcome): Promise<void> {
    let ended: Promise<void>
    try {
      if (outcome === 'rollback') {
        await level.undo()
      }
    } finally {
      this.#gate.unwatch()
      this.#levels.pop()
      ended = level.end()
    }
    await ended
  }

  /** Like SQLite, the last savepoint of that name: https://www.sqlite.org/lang_savepoint.html */
  #indexOf(name: string): number {
    const index = this.#levels.findLastIndex((level) => level.name === name)
    if (index === -1) {
      throw new DurableObjectSqliteError('SQLITE_ERROR', `no such savepoint: ${name}`)
    }
    return index
  }

  /**
   * False if it is the transaction itself and cannot claim the database, or a savepoint that the
   * platform admits when the transaction is over.
   */
  #open(name: string | undefined): Promise<boolean> {
    return openLevel(this.#storage, name, (level) => {
      if (name === undefined ? !this.#gate.claim(this) : this.#isEnding) {
        return false
      }
      this.#levels.push(level)
      this.#deadline ??= Date.now() + MAX_DURATION
      this.#gate.watch()
      return true
    })
  }
}
