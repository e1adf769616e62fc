import type { Kysely } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { type OpenTransaction, TransactionalConnection } from './transactional-connection.js'

type Connection = TransactionalConnection<OpenTransaction>

/** A run of Kysely's `Migrator`. */
interface Run {
  /** What it was given to migrate with. */
  readonly db: Kysely<unknown>
  readonly connection: Connection | undefined
}

interface WaitingRun extends Run {
  readonly begin: () => void
}

/** The longest time of a timer, in milliseconds: 2^31 - 1. */
const MAX_DELAY = 2_147_483_647

/**
 * Lets runs of Kysely's `Migrator` migrate a database one after the other. Only runs in the same object
 * can meet, so the lock is kept in memory: nothing stays locked when the object is reset.
 */
export class MigrationLock {
  static readonly #locks = new WeakMap<SqlStorage, MigrationLock>()

  static of(sql: SqlStorage): MigrationLock {
    let lock = MigrationLock.#locks.get(sql)
    if (lock === undefined) {
      lock = new MigrationLock()
      MigrationLock.#locks.set(sql, lock)
    }
    return lock
  }

  #holder: Run | undefined
  #waiting: readonly WaitingRun[] = []

  /** Rejects with `ERR_MIGRATION_LOCKED` after `timeout` milliseconds, inside a transaction at once. */
  async acquire(db: Kysely<unknown>, timeout: number): Promise<void> {
    const connection = await connectionOf(db)
    this.#releaseIfExpired()
    if (this.#holder === undefined) {
      this.#holder = { db, connection }
      return
    }
    if (db.isTransaction) {
      // That one would wait for the transaction in turn.
      throw locked('and this one is in a transaction, in which it cannot wait for it')
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => {
          if (this.#releaseIfExpired() && this.#holder?.db === db) {
            return
          }
          this.#waiting = this.#waiting.filter(({ begin }) => begin !== run.begin)
          reject(locked(`and has not ended within ${timeout} ms (transactionTimeout)`))
        },
        Math.min(timeout, MAX_DELAY),
      )
      const run: WaitingRun = {
        db,
        connection,
        begin() {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting = [...this.#waiting, run]
    })
  }

  /** Kysely calls it also where `acquire()` has rejected. */
  release(db: Kysely<unknown>): void {
    if (this.#holder?.db === db) {
      const [next, ...others] = this.#waiting
      this.#holder = next
      this.#waiting = others
      next?.begin()
    }
  }

  /**
   * Takes the lock from a run whose transaction was open for too long and has been rolled back, while a
   * migration in it does not end. Should that go on, nothing that it sends reaches the database.
   */
  #releaseIfExpired(): boolean {
    const holder = this.#holder
    if (holder?.connection?.transaction?.hasExpired !== true) {
      return false
    }
    holder.connection.fence()
    this.release(holder.db)
    return true
  }
}

/** Undefined for that of another dialect. */
function connectionOf(db: Kysely<unknown>): Promise<Connection | undefined> {
  return db
    .getExecutor()
    .provideConnection(async (connection) =>
      connection instanceof TransactionalConnection ? connection : undefined,
    )
}

function locked(why: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_MIGRATION_LOCKED',
    `Another Migrator is running on this object, ${why}. Run one after the other.`,
  )
}
