import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'

interface Waiter {
  /** Milliseconds since the epoch. */
  readonly deadline: number
  readonly timeout: number
  /** The transaction that wants to begin; undefined for a query. */
  readonly transaction: object | undefined
  readonly resolve: () => void
  readonly reject: (error: DurableObjectSqliteError) => void
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

  #owner: object | undefined
  #waiters: Waiter[] = []

  /** Whether a transaction has the database. */
  get isClosed(): boolean {
    return this.#owner !== undefined
  }

  /** The transaction that has the database. */
  get owner(): object | undefined {
    return this.#owner
  }

  /** Waits for the open transaction to end, for `timeout` milliseconds at most. */
  wait(timeout: number): Promise<void> {
    return this.#enqueue(timeout, undefined)
  }

  /**
   * Gives the database to the transaction, after waiting for the one that has it. Between finding
   * the gate open and closing it there is no `await`: two transactions that begin at once would wait
   * for each other until the platform resets the object.
   */
  async claim(transaction: object, timeout: number): Promise<void> {
    if (this.#owner === undefined) {
      this.#owner = transaction
    } else {
      await this.#enqueue(timeout, transaction)
    }
  }

  /** Takes the database back from the transaction and lets in who waits, up to the next transaction. */
  release(transaction: object): void {
    if (this.#owner !== transaction) {
      return
    }
    this.#owner = undefined
    while (this.#owner === undefined) {
      const waiter = this.#waiters.shift()
      if (waiter === undefined) {
        return
      }
      this.#owner = waiter.transaction
      waiter.resolve()
    }
  }

  /** Rejects who has waited for too long, and returns the time at which the next one will have. */
  expireWaiters(): number {
    const now = Date.now()
    const expired = this.#waiters.filter(({ deadline }) => deadline <= now)
    this.#waiters = this.#waiters.filter(({ deadline }) => deadline > now)
    for (const { reject, timeout, transaction } of expired) {
      reject(waitedTooLong(transaction === undefined ? 'A query' : 'A transaction', timeout))
    }
    return this.#waiters.reduce((next, { deadline }) => Math.min(next, deadline), Infinity)
  }

  #enqueue(timeout: number, transaction: object | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ deadline: Date.now() + timeout, timeout, transaction, resolve, reject })
    })
  }
}

function waitedTooLong(what: string, timeout: number): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_TIMEOUT',
    `${what} waited for ${timeout} ms for the open transaction to end. Inside a transaction use ` +
      '`trx`: a query on `db` was probably sent from there. If the transaction really takes that ' +
      'long, set transactionTimeout.',
  )
}
