import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
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
  #isCommitted = false
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
    this.#isCommitted = true
  }

  /** Rolls back. Does nothing if that has been done. */
  async rollback(): Promise<void> {
    await this.#end('rollback')
  }

  /** Rolls back a transaction that was open for too long, before the platform resets the object. */
  expire(): void {
    this.#failure ??= openForTooLong()
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
      this.#gate.unwatch()
      await this.#levels.pop()?.end(outcome)
      if (this.#levels.length > 0) {
        this.#gate.watch()
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

  /** False if it is the transaction itself and cannot claim the database. */
  #open(name: string | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const ended = this.#storage.transaction((transaction) => {
        if (name === undefined && !this.#gate.claim(this)) {
          resolve(false)
          return Promise.resolve()
        }
        return new Promise<void>((finish) => {
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
          this.#deadline ??= Date.now() + MAX_DURATION
          this.#gate.watch()
          resolve(true)
        })
      })
      ended.catch(reject)
    })
  }
}

export function transactionEnded(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_ENDED',
    'A query was sent on a transaction that is ending or has ended. Await every query before ' +
      'the transaction ends.',
  )
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
