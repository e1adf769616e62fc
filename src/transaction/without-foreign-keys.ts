import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { TransactionGate } from './transaction-gate.js'

/** How often the pragma is sent. A write between `sync()` and it makes it void. */
const MAX_ATTEMPTS = 10

const VIOLATIONS = `
  select [table], parent, count(*) from pragma_foreign_key_check group by 1, 2 order by 1, 2
`

/** The databases on which `withoutForeignKeys()` is running. */
const running = new WeakSet<SqlStorage>()

/**
 * Runs the function in a transaction without foreign keys, checks them, commits, and puts them back
 * on: what a table rebuild (create, copy, drop, rename) takes, because to drop a table is to delete
 * its rows, and `on delete cascade` deletes those that refer to them. All of it is done or nothing
 * is: if the function throws, or a row refers to one that is not there, everything it did is undone.
 *
 * Schema tools may switch foreign keys off and on by themselves inside the function. They are off
 * from its start, and on again at its end.
 *
 * Call it in `ctx.blockConcurrencyWhile()`, before anything else uses the object: what is sent beside
 * it is part of it. The platform ends whatever takes longer than 30 s. The check reads every row that
 * has a foreign key.
 *
 * Throws `ERR_FOREIGN_KEY_VIOLATION` if a row refers to one that is not there,
 * `ERR_PRAGMA_IGNORED` inside a transaction, and `ERR_FOREIGN_KEYS_OFF` while it is running.
 *
 * https://www.sqlite.org/lang_altertable.html#otheralter
 *
 * ### Examples
 *
 * ```ts
 * import { sql } from 'kysely'
 * import { withoutForeignKeys } from 'kysely-durable-sqlite'
 *
 * await withoutForeignKeys(ctx.storage, async () => {
 *   await sql`create table new_author (id integer primary key, name text not null)`.execute(db)
 *   await sql`insert into new_author select id, name from author`.execute(db)
 *   await db.schema.dropTable('author').execute()
 *   await db.schema.alterTable('new_author').renameTo('author').execute()
 * })
 * ```
 */
export async function withoutForeignKeys<T>(
  storage: DurableObjectStorageLike,
  run: () => Promise<T>,
): Promise<T> {
  const { sql } = storage
  if (running.has(sql)) {
    throw new DurableObjectSqliteError(
      'ERR_FOREIGN_KEYS_OFF',
      'withoutForeignKeys() is running on this storage. Call it once, in ' +
        'ctx.blockConcurrencyWhile(), and not inside itself.',
    )
  }
  const gate = TransactionGate.of(sql)
  const owner = {}
  running.add(sql)
  try {
    await untilSwitched(storage, () => {
      if (gate.isClosed) {
        throw insideTransaction()
      }
      const isOff = !switchForeignKeys(sql, 'off')
      if (isOff) {
        // Until the transaction below is open no other may begin, whose foreign keys would be off.
        void gate.claim(owner, 0)
      }
      return isOff
    })
    try {
      return await storage.transaction(async () => {
        gate.release(owner)
        const result = await run()
        assertForeignKeysHold(sql)
        return result
      })
    } finally {
      await untilSwitched(storage, () => switchForeignKeys(sql, 'on'))
    }
  } finally {
    gate.release(owner)
    running.delete(sql)
  }
}

/** Whether `withoutForeignKeys()` is running, at whose end foreign keys are switched on. */
export function isWithoutForeignKeys(sql: SqlStorage): boolean {
  return running.has(sql)
}

export function areForeignKeysOn(sql: SqlStorage): boolean {
  return sql.exec('pragma foreign_keys').one()['foreign_keys'] === 1
}

/** Returns whether they are on now: SQLite ignores the pragma inside a transaction. */
function switchForeignKeys(sql: SqlStorage, to: 'on' | 'off'): boolean {
  sql.exec(`pragma foreign_keys = ${to}`)
  return areForeignKeysOn(sql)
}

/**
 * A Durable Object opens a transaction with the first write of an event. `sync()` waits for its
 * commit.
 */
async function untilSwitched(
  storage: DurableObjectStorageLike,
  hasSwitched: () => boolean,
): Promise<void> {
  for (let attempts = 1; !hasSwitched(); attempts++) {
    if (attempts === MAX_ATTEMPTS) {
      throw insideTransaction()
    }
    await storage.sync()
  }
}

function insideTransaction(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_PRAGMA_IGNORED',
    'Foreign keys cannot be switched inside a transaction. Call withoutForeignKeys() outside ' +
      'db.transaction(), in ctx.blockConcurrencyWhile().',
  )
}

/** Throws `ERR_FOREIGN_KEY_VIOLATION` if a row refers to one that is not there. */
export function assertForeignKeysHold(sql: SqlStorage): void {
  const violations = [...sql.exec(VIOLATIONS).raw()] as [string, string, number][]
  if (violations.length > 0) {
    const found = violations.map(([child, parent, rows]) => `${rows} of ${child} in ${parent}`)
    throw new DurableObjectSqliteError(
      'ERR_FOREIGN_KEY_VIOLATION',
      `Rows refer to rows that are not there: ${found.join(', ')}. Everything is undone. ` +
        'Keep the rows that others refer to, or delete both.',
    )
  }
}
