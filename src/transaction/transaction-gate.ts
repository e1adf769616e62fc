import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { WaitingLine } from './waiting-line.js'

/** Microtasks: those of about ten queries. */
const SHORT = 300

/** The longest time of a timer, in milliseconds: 2^31 - 1. */
const MAX_DELAY = 2_147_483_647

const TICK = Promise.resolve()

/** Who can have the database for itself: a transaction, or what runs without foreign keys. */
export interface GateOwner {
  /** When it is told to end, in milliseconds since the epoch. Undefined: never. */
  readonly deadline?: number | undefined
  expire?(): void
}

/**
 * Lets one transaction at a time have the database, and makes everything else wait for its end, in
 * order. There is one gate for a database, however many dialects are made for it.
 */
export class TransactionGate {
  static readonly #gates = new WeakMap<SqlStorage, TransactionGate>()

  static of(sql: SqlStorage): TransactionGate {
    let gate = TransactionGate.#gates.get(sql)
    if (gate === undefined) {
      gate = new TransactionGate()
      TransactionGate.#gates.set(sql, gate)
    }
    return gate
  }

  #owner: GateOwner | undefined
  /** Shares the database with what runs inside of it, and with nobody who waits. */
  #host: GateOwner | undefined
  /** The transaction that was let in and has not claimed the database yet. */
  #starting: GateOwner | undefined
  readonly #line = new WaitingLine<GateOwner>()
  #timers: ReturnType<typeof setTimeout>[] = []
  /** Changes whenever a timer that is about to be started is not wanted any more. */
  #watch = 0
  #isAboutToWatch = false

  /** Whether a transaction has the database. */
  get isClosed(): boolean {
    return this.#owner !== undefined
  }

  /** The transaction that has the database. */
  get owner(): GateOwner | undefined {
    return this.#owner
  }

  /**
   * Waits for the open transaction to end. Rejects with `ERR_TRANSACTION_TIMEOUT` after `timeout`
   * milliseconds. A transaction that is to begin passes itself: who came after it stays behind it.
   */
  wait(
    timeout: number,
    transaction?: GateOwner,
    message: (timeout: number) => string = transaction === undefined
      ? queryWaited
      : transactionWaited,
  ): Promise<void> {
    const turn = this.#line.join(timeout, transaction, () => waitedTooLong(message(timeout)))
    this.watch()
    return turn
  }

  /**
   * Gives the database to the transaction, if nobody has it. A transaction claims it once the platform
   * has admitted it, and not before: one that waits for the platform would hold up those for which the
   * platform waits, until it resets the object.
   */
  claim(owner: GateOwner): boolean {
    if (this.#owner !== undefined) {
      return false
    }
    this.#owner = owner
    if (this.#starting === owner) {
      this.#starting = undefined
    }
    return true
  }

  /** Takes the database back from the transaction and lets in who waits, up to the next transaction. */
  release(owner: GateOwner): void {
    if (this.#owner === owner) {
      this.#owner = undefined
    } else if (this.#starting === owner) {
      this.#starting = undefined
    } else {
      return
    }
    this.#letIn()
  }

  /** Lets queries and transactions through that are part of what the owner does. Who waits, waits. */
  share(owner: GateOwner): void {
    if (this.#owner === owner) {
      this.#owner = undefined
      this.#host = owner
    }
  }

  /** Ends `share()`. Returns the transaction that was left open, if one was; then it is not ended. */
  unshare(owner: GateOwner): GateOwner | undefined {
    if (this.#owner === undefined) {
      this.#host = undefined
      this.#owner = owner
    }
    return this.#owner === owner ? undefined : this.#owner
  }

  /**
   * Watches over the time of the owner and of those that wait. The platform holds back every timer that
   * was not started inside the innermost `storage.transaction()` or `blockConcurrencyWhile()`. So a
   * timer for all is started wherever someone begins to wait, and in each level of a transaction. The
   * first that the platform does not hold back takes the place of the others.
   *
   * Starting and stopping a timer takes as long as a few queries. What ends within the microtasks that
   * follow has waited for nothing, and needs none. They all run before anything else does, in the same
   * place.
   */
  watch(): void {
    if (!this.#isAboutToWatch) {
      this.#isAboutToWatch = true
      void this.#watchUnlessShort(this.#watch)
    }
  }

  /** Stops the timers: what they were started in is about to end. */
  unwatch(): void {
    this.#watch++
    this.#isAboutToWatch = false
    this.#stopTimers()
  }

  #letIn(): void {
    while (
      this.#owner === undefined &&
      this.#host === undefined &&
      this.#starting === undefined &&
      this.#line.length > 0
    ) {
      this.#starting = this.#line.letFirstIn()
    }
    if (this.#line.length > 0) {
      this.watch()
    }
  }

  async #watchUnlessShort(watch: number): Promise<void> {
    for (let i = 0; i < SHORT && watch === this.#watch; i++) {
      await TICK
    }
    if (watch === this.#watch) {
      this.#isAboutToWatch = false
      this.#startTimer()
    }
  }

  #startTimer(): void {
    const next = Math.min(this.#line.deadline, this.#owner?.deadline ?? Infinity)
    if (next === Infinity) {
      return
    }
    const delay = Math.min(Math.max(1, next - Date.now()), MAX_DELAY)
    const timer = setTimeout(() => {
      this.#stopTimers()
      const now = Date.now()
      this.#line.expire(now)
      if ((this.#owner?.deadline ?? Infinity) <= now) {
        this.#owner?.expire?.()
      }
      this.#startTimer()
    }, delay)
    this.#timers.push(timer)
  }

  #stopTimers(): void {
    if (this.#timers.length > 0) {
      this.#timers.forEach((timer) => clearTimeout(timer))
      this.#timers.length = 0
    }
  }
}

function waitedTooLong(message: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError('ERR_TRANSACTION_TIMEOUT', message)
}

function queryWaited(timeout: number): string {
  return `A query ${waited(timeout)}`
}

function transactionWaited(timeout: number): string {
  return `A transaction ${waited(timeout)}`
}

function waited(timeout: number): string {
  return (
    `waited for ${timeout} ms for the open transaction to end. Inside a transaction use \`trx\`: a ` +
    'query on `db` was probably sent from there. If the transaction really takes that long, set ' +
    'transactionTimeout.'
  )
}
