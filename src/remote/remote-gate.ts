import { TransactionGate } from '../transaction/transaction-gate.js'

/**
 * Makes the queries of a Kysely instance wait for its own transactions, as in the object: the object
 * alone would hold back a query that a transaction's body sends on `db` until that transaction gave up.
 */
export class RemoteGate {
  readonly #gate = new TransactionGate()
  /** Milliseconds. */
  readonly #timeout: number

  constructor(timeout: number) {
    this.#timeout = timeout
  }

  get isClosed(): boolean {
    return this.#gate.isClosed
  }

  /** Waits for the open transaction to end. Rejects with `ERR_TRANSACTION_TIMEOUT`. */
  wait(): Promise<void> {
    return this.#withTimer(this.#gate.wait(this.#timeout))
  }

  /** Waits for the turn of the transaction. Rejects with `ERR_TRANSACTION_TIMEOUT`. */
  async claim(transaction: object): Promise<void> {
    const isFree = !this.#gate.isClosed
    const claimed = this.#gate.claim(transaction, this.#timeout)
    await (isFree ? claimed : this.#withTimer(claimed))
  }

  release(transaction: object): void {
    this.#gate.release(transaction)
  }

  async #withTimer(turn: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.#gate.expireWaiters(), this.#timeout + 1)
    try {
      await turn
    } finally {
      clearTimeout(timer)
    }
  }
}
