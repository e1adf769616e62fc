import { type Kysely, sql } from 'kysely'
import { DurableObjectSqliteError } from '../errors.js'
import type { DurableObjectStorageLike } from '../storage.js'

/** `ctx.storage`, as far as a migration without foreign keys needs it. */
export interface SyncableStorage extends DurableObjectStorageLike {
  sync(): Promise<void>
}

/** How often the pragma is tried. One write between `sync()` and the pragma makes it void. */
const ATTEMPTS = 10

/**
 * A storage whose transactions run with foreign keys off.
 *
 * SQLite ignores `pragma foreign_keys` inside a transaction, also in the implicit one that a write has
 * opened, which ends with `sync()`. It is turned off in the same tick in which the transaction begins
 * and keeps every other event out, and on again as soon as it has ended.
 *
 * https://www.sqlite.org/pragma.html#pragma_foreign_keys
 */
export class StorageWithoutForeignKeys implements DurableObjectStorageLike {
  readonly sql: DurableObjectStorageLike['sql']
  readonly #storage: SyncableStorage
  #isOpen = false

  constructor(storage: SyncableStorage) {
    this.sql = storage.sql
    this.#storage = storage
  }

  /** Nested, it is a savepoint, in which they are off already. */
  async transaction<T>(closure: (transaction: { rollback(): void }) => Promise<T>): Promise<T> {
    if (this.#isOpen) {
      return this.#storage.transaction(closure)
    }
    await this.#setForeignKeys('off')
    this.#isOpen = true
    try {
      return await this.#storage.transaction(closure)
    } finally {
      this.#isOpen = false
      await this.#setForeignKeys('on')
    }
  }

  transactionSync<T>(closure: () => T): T {
    return this.#storage.transactionSync(closure)
  }

  async #setForeignKeys(setting: 'on' | 'off'): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.sql.exec(`pragma foreign_keys = ${setting}`)
      if (this.#foreignKeysAreOn() === (setting === 'on')) {
        return
      }
      await this.#storage.sync()
    }
    throw new DurableObjectSqliteError(
      'ERR_PRAGMA_IGNORED',
      `Foreign keys could not be turned ${setting}: SQLite ignores that inside a transaction. Migrate ` +
        'outside ctx.storage.transaction(), db.transaction() and ctx.storage.transactionSync().',
    )
  }

  #foreignKeysAreOn(): boolean {
    return this.sql.exec('pragma foreign_keys').one()['foreign_keys'] === 1
  }
}

/**
 * Whether a violation may be left for the commit, where the platform resets the object instead of
 * reporting it. SQLite cannot be asked which foreign keys are deferred; a table whose text has that
 * word for another reason costs a needless check.
 */
export async function mayHaveDeferredViolations(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pragma_defer_foreign_keys where defer_foreign_keys = 1
    union all select 1 from sqlite_schema where sql like '%deferred%'
    limit 1
  `.execute(db)
  return rows.length > 0
}

/** Throws `ERR_FOREIGN_KEY_VIOLATION` if a row refers to one that is not there. */
export async function checkForeignKeys(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ child: string; parent: string; count: number }>`
    select [table] as child, parent, count(*) as count from pragma_foreign_key_check
    group by 1, 2 order by 1, 2
  `.execute(db)
  if (rows.length > 0) {
    const found = rows.map(
      ({ child, parent, count }) => `${count} of \`${child}\` in \`${parent}\``,
    )
    throw new DurableObjectSqliteError(
      'ERR_FOREIGN_KEY_VIOLATION',
      `Rows refer to rows that are not there: ${found.join(', ')}. Keep the rows that they refer to, ` +
        'or delete or mend them in the same migration.',
    )
  }
}
