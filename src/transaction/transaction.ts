import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import type { TransactionGate } from './transaction-gate.js'

/**
 * The platform resets an object whose `blockConcurrencyWhile()`, which is what
 * `storage.transaction()` runs in, takes more than 30 s.
 *
 * https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
 */
const MAX_DURATION = 25_000

/** Microtasks: those of about ten queries. */
const SHORT = 300

const TICK = Promise.resolve()

/** Called where a statement has written that must not; throws. */
export type RefuseWrite = () => never

type Outcome = 'commit' | 'rollback'

/** An open `storage.transaction()`: the transaction itself or, nested in it, a savepoint. */
interface Level {
  readonly name: string | undefined
  end(outcome: Outcome): Promise<void>
}

export interface TransactionOptions {
  readonly storage: DurableObjectStorageLike
  readonly gate: TransactionGate
  readonly readOnly: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/**
 * A transaction whose begin and end are separate calls, on `ctx.storage.transaction()`, which wants
 * one closure for both: the closure waits until the end is decided.
 */
export class Transaction {
  /** Rejects with `ERR_TRANSACTION_TIMEOUT` if another transaction does not end. */
  static async begin(options: TransactionOptions): Promise<Transaction> {
    const transaction = new Transaction(options)
    await options.gate.claim(transaction, options.timeout)
    try {
      await transaction.#open(undefined)
    } catch (error) {
      options.gate.release(transaction)
      throw error
    }
    return transaction
  }

  /** Of a read only transaction: makes it fail, and throws why. */
  readonly refuseWrite: RefuseWrite | undefined
  readonly #storage: DurableObjectStorageLike
  readonly #gate: TransactionGate
  readonly #timeout: number
  /** From the transaction itself to the innermost savepoint. */
  readonly #levels: Level[] = []
  #deadline: number | undefined
  #timer: ReturnType<typeof setTimeout> | null = null
  #failure: unknown
  #isEnding = false

  private constructor({ storage, gate, readOnly, timeout }: TransactionOptions) {
    this.#storage = storage
    this.#gate = gate
    this.#timeout = timeout
    this.refuseWrite = readOnly ? () => this.#fail(wroteInReadOnly()) : undefined
  }

  /** Throws if the transaction takes no more queries. */
  assertOpen(): void {
    if (this.#failure !== undefined) {
      throw this.#failure
    }
    if (this.#isEnding) {
      throw new DurableObjectSqliteError(
        'ERR_TRANSACTION_ENDED',
        'A query was sent on a transaction that is ending or has ended. Await every query before ' +
          'the transaction ends.',
      )
    }
  }

  async savepoint(name: string): Promise<void> {
    this.assertOpen()
    await this.#open(name)
  }

  /** Undoes what was done since the savepoint, which stays open. */
  async rollbackToSavepoint(name: string): Promise<void> {
    this.assertOpen()
    await this.#closeFrom(this.#indexOf(name), 'rollback')
    await this.#open(name)
  }

  /** Ends the savepoint and those within it, keeping what was done. */
  async releaseSavepoint(name: string): Promise<void> {
    this.assertOpen()
    await this.#closeFrom(this.#indexOf(name), 'commit')
  }

  /** Commits, open savepoints included. A transaction that failed is rolled back, and rejects. */
  async commit(): Promise<void> {
    if (this.#failure !== undefined) {
      await this.rollback()
      throw this.#failure
    }
    await this.#end('commit')
  }

  /** Rolls back. Does nothing if that has been done. */
  async rollback(): Promise<void> {
    await this.#end('rollback')
  }

  async #end(outcome: Outcome): Promise<void> {
    this.#isEnding = true
    try {
      await this.#closeFrom(0, outcome)
    } catch (error) {
      await this.#closeFrom(0, 'rollback')
      throw error
    } finally {
      this.#gate.release(this)
    }
  }

  /** Makes the transaction fail: whatever is done next, it is rolled back. */
  #fail(error: DurableObjectSqliteError): never {
    this.#failure ??= error
    throw error
  }

  async #closeFrom(index: number, outcome: Outcome): Promise<void> {
    while (this.#levels.length > index) {
      clearTimeout(this.#timer)
      await this.#levels.pop()?.end(outcome)
      if (this.#levels.length > 0) {
        this.#startTimer()
      }
    }
  }

  /** Like SQLite, the last savepoint of that name: https://www.sqlite.org/lang_savepoint.html */
  #indexOf(name: string): number {
    const index = this.#levels.findLastIndex((level) => level.name === name)
    if (index === -1) {
      throw new DurableObjectSqliteError('SQLITE_ERROR', `no such savepoint: ${name}`)
    }
    return index
  }

  #open(name: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = this.#storage.transaction(
        (transaction) =>
          new Promise<void>((finish) => {
            this.#levels.push({
              name,
              end(outcome) {
                try {
                  if (outcome === 'rollback') {
                    transaction.rollback()
                  }
                } finally {
                  finish()
                }
                return ended
              },
            })
            void this.#startTimerUnlessShort()
            resolve()
          }),
      )
      ended.catch(reject)
    })
  }

  /**
   * Starting and stopping a timer takes as long as a few queries. What ends within the microtasks that
   * follow has waited for nothing, and needs none. They all run before anything else does, inside the
   * same `storage.transaction()`.
   */
  async #startTimerUnlessShort(): Promise<void> {
    const level = this.#levels.at(-1)
    for (let i = 0; i < SHORT; i++) {
      await TICK
      if (this.#levels.at(-1) !== level) {
        return
      }
    }
    this.#startTimer()
  }

  /**
   * Watches over the time of the transaction and of those that wait for it. The platform holds back
   * every timer that was not started inside the innermost `storage.transaction()`, and with it those
   * that are due later. So there is one timer for all, and it is started anew in each level.
   */
  #startTimer(): void {
    clearTimeout(this.#timer)
    const now = Date.now()
    const deadline = (this.#deadline ??= now + MAX_DURATION)
    const next = Math.min(this.#gate.expireWaiters(), now + this.#timeout, deadline)
    this.#timer = setTimeout(
      () => {
        if (Date.now() < deadline) {
          this.#startTimer()
        } else {
          this.#failure ??= openForTooLong()
          // Where even that fails, the platform resets the object.
          this.rollback().catch(() => {})
        }
      },
      Math.max(1, next - now),
    )
  }
}

function wroteInReadOnly(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_READ_ONLY_TRANSACTION',
    'A write was sent in a read only transaction, which is rolled back. Leave out ' +
      "setAccessMode('read only') where the transaction writes.",
  )
}

function openForTooLong(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_TIMEOUT',
    `The transaction was open for longer than ${MAX_DURATION / 1000} s and has been rolled back: ` +
      'the platform resets an object after 30 s. Commit or roll back on every path, and do slow ' +
      'work before the transaction begins.',
  )
}
