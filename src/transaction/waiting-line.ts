interface Waiter<T> {
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** The transaction that wants to begin; undefined for a query. */
  readonly transaction: T | undefined
  readonly resolve: () => void
  readonly reject: () => void
}

/** Who waits for the open transaction to end, in order: queries, and transactions `T`. */
export class WaitingLine<T> {
  #waiters: Waiter<T>[] = []
  /** Those before it were let in. To shift an array of very many is to move them all, each time. */
  #first = 0
  #deadline = Infinity

  get length(): number {
    return this.#waiters.length - this.#first
  }

  /** When the first of them has waited for too long, or earlier; in milliseconds since the epoch. */
  get deadline(): number {
    return this.#deadline
  }

  join(timeout: number, transaction: T | undefined, waitedTooLong: () => Error): Promise<void> {
    const deadline = Date.now() + timeout
    this.#deadline = Math.min(this.#deadline, deadline)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ deadline, transaction, resolve, reject: () => reject(waitedTooLong()) })
    })
  }

  /** Returns the transaction, if it is one. */
  letFirstIn(): T | undefined {
    const { resolve, transaction } = this.#waiters[this.#first]!
    this.#first++
    if (this.length === 0) {
      this.#waiters = []
      this.#first = 0
      this.#deadline = Infinity
    }
    resolve()
    return transaction
  }

  /** Rejects who has waited for too long. */
  expire(now: number): void {
    if (now < this.#deadline) {
      return
    }
    const waiters = this.#waiters.slice(this.#first)
    this.#waiters = waiters.filter(({ deadline }) => deadline > now)
    this.#first = 0
    this.#deadline = this.#waiters.reduce(
      (next, { deadline }) => Math.min(next, deadline),
      Infinity,
    )
    for (const { deadline, reject } of waiters) {
      if (deadline <= now) {
        reject()
      }
    }
  }
}
