import { type GateOwner, TransactionGate } from '../transaction/transaction-gate.js'

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
  async wait(): Promise<void> {
    do {
      await this.#gate.wait(this.#timeout)
    } while (this.#gate.isClosed)
  }

  /** Waits for the turn of the transaction. Rejects with `ERR_TRANSACTION_TIMEOUT`. */
  async claim(transaction: GateOwner): Promise<void> {
    while (!this.#gate.claim(transaction)) {
      await this.#gate.wait(this.#timeout, transaction)
    }
  }

  release(transaction: GateOwner): void {
    this.#gate.release(transaction)
  }
}
