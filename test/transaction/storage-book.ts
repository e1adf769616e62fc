import type { DurableObjectStorageLike } from '../../src/platform/storage.js'
import { Transaction } from '../../src/transaction/transaction.js'

/** Milliseconds. More than what does end takes, and not the 25 s that nobody wants to wait for. */
const MAX_DURATION = 250

/** A `storage.transaction()`. */
export interface Level {
  readonly by: 'dialect' | 'test'
  /** The one that it is nested in. */
  readonly outer: Level | undefined
  /** The closure has ended; the platform may not have heard of it. */
  hasReturned: boolean
  outcome: 'commit' | 'rollback' | undefined
}

/** Whether what was done in it stays. */
export function isKept(level: Level | undefined): boolean {
  return level === undefined || (level.outcome === 'commit' && isKept(level.outer))
}

export function isWithin(level: Level | undefined, outer: Level | undefined): boolean {
  return level === outer || (level !== undefined && isWithin(level.outer, outer))
}

/** Writes down the transactions of an object, all of which are the platform's own. */
export class StorageBook {
  /** The innermost is last. */
  readonly open: Level[] = []
  /** Whether the platform resets the object: one was committed while another was open in it. */
  mayReset = false
  #timer: ReturnType<typeof setTimeout> | null = null

  /** The storage itself. What is open for too long in it ends sooner than otherwise. */
  record(storage: DurableObjectStorage, by: Level['by']): DurableObjectStorageLike {
    return {
      sql: storage.sql,
      transactionSync: (closure) => storage.transactionSync(closure),
      sync: () => storage.sync(),
      transaction: (closure) => {
        let level: Level | undefined
        const ended = storage.transaction((transaction) => {
          level = this.#begin(by)
          this.#watch(storage.sql, level)
          const begun = level
          const returned = closure({
            rollback() {
              begun.outcome = 'rollback'
              transaction.rollback()
            },
          })
          returned.then(
            () => this.#return(begun, 'commit'),
            () => this.#return(begun, 'rollback'),
          )
          return returned
        })
        const settle = (): void => {
          if (level !== undefined) {
            this.open.splice(this.open.indexOf(level), 1)
            this.#watch(storage.sql, level)
          }
        }
        ended.then(settle, settle)
        return ended
      },
    }
  }

  /** The innermost of the dialect. */
  get ofDialect(): Level | undefined {
    return this.open.findLast(({ by, hasReturned }) => by === 'dialect' && !hasReturned)
  }

  #begin(by: Level['by']): Level {
    const outer = this.open.findLast(({ hasReturned }) => !hasReturned)
    const level: Level = { by, outer, hasReturned: false, outcome: undefined }
    this.open.push(level)
    return level
  }

  #return(level: Level, outcome: 'commit' | 'rollback'): void {
    level.hasReturned = true
    level.outcome ??= outcome
    const inner = this.open[this.open.indexOf(level) + 1]
    if (inner !== undefined && level.outcome === 'commit') {
      this.mayReset ||= inner.by === 'test' || level.by === 'test'
    }
  }

  #watch(sql: SqlStorage, level: Level): void {
    if (level.by === 'dialect') {
      clearTimeout(this.#timer)
      this.#timer =
        this.ofDialect === undefined
          ? null
          : setTimeout(() => Transaction.openOn(sql)?.expire(), MAX_DURATION)
    }
  }
}
