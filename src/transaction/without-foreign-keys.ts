import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import type { Transaction } from './transaction.js'
import { type GateOwner, TransactionGate } from './transaction-gate.js'

/** How often the pragma is sent. A write between `sync()` and it makes it void. */
const MAX_ATTEMPTS = 10

const VIOLATIONS = `
  select [table], parent, count(*) from pragma_foreign_key_check group by 1, 2 order by 1, 2
`

/** The databases on which `withoutForeignKeys()` is running. */
const running = new WeakSet<SqlStorage>()

/**
 * Runs the function in a transaction without foreign keys, checks them, commits, and switches them on
 * again. A table rebuild (create, copy, drop, rename) needs this: dropping a table deletes its rows,
 * and `on delete cascade` then deletes the rows that refer to them. If the function throws, or if a row
 * refers to one that does not exist, everything is undone.
 *
 * Schema tools may switch foreign keys off and on inside the function. It makes no difference: they are
 * off from its start to its end.
 *
 * Call it in `ctx.blockConcurrencyWhile()`, before anything else uses the object: a query that other
 * code sends on `db` before it has ended is part of it. Do one thing at a time in the function: a query
 * that has to wait for a transaction waits for the whole function to end. The platform ends whatever
 * takes longer than 30 s. The check reads every row that has a foreign key.
 *
 * Throws
 *
 * - `ERR_FOREIGN_KEY_VIOLATION` if a row refers to one that does not exist,
 * - `ERR_PRAGMA_IGNORED` inside a transaction,
 * - `ERR_FOREIGN_KEYS_OFF` while another call is running,
 * - `ERR_TRANSACTION_OPEN`, which undoes everything, if the function leaves a transaction open.
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
 *   await sql`create table new_person (id integer primary key, name text not null)`.execute(db)
 *   await sql`insert into new_person select id, name from person`.execute(db)
 *   await db.schema.dropTable('person').execute()
 *   await db.schema.alterTable('new_person').renameTo('person').execute()
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
  const owner: GateOwner = {}
  running.add(sql)
  try {
    try {
      await switchOff(storage, gate, owner)
      return await storage.transaction(async () => {
        const result = await runAlone(gate, owner, run)
        assertForeignKeysHold(sql)
        return result
      })
    } finally {
      if (gate.owner === owner) {
        await switchOn(storage)
      }
    }
  } finally {
    gate.release(owner)
    running.delete(sql)
  }
}

/** Keeps out, from the end of the function on, what would not be checked before the commit. */
async function runAlone<T>(
  gate: TransactionGate,
  owner: GateOwner,
  run: () => Promise<T>,
): Promise<T> {
  gate.share(owner)
  let result: T
  let wasOpen: boolean
  try {
    result = await run()
  } finally {
    wasOpen = await closeTransactions(gate, owner)
  }
  if (wasOpen) {
    throw leftOpen()
  }
  return result
}

/** Gives the database back to the owner. Returns whether a transaction was open. */
async function closeTransactions(gate: TransactionGate, owner: GateOwner): Promise<boolean> {
  let wasOpen = false
  for (let open = gate.unshare(owner); open !== undefined; open = gate.unshare(owner)) {
    wasOpen = true
    await (open as Transaction).rollback()
  }
  return wasOpen
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
async function switchOff(
  storage: DurableObjectStorageLike,
  gate: TransactionGate,
  owner: GateOwner,
): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    // Until the transaction is open no other may begin, whose foreign keys would be off.
    if (!gate.claim(owner)) {
      throw insideTransaction()
    }
    if (!switchForeignKeys(storage.sql, 'off')) {
      return
    }
    gate.release(owner)
    if (attempts === MAX_ATTEMPTS) {
      throw insideTransaction()
    }
    await storage.sync()
  }
}

async function switchOn(storage: DurableObjectStorageLike): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    try {
      if (switchForeignKeys(storage.sql, 'on')) {
        return
      }
      if (attempts === MAX_ATTEMPTS) {
        throw insideTransaction()
      }
    } catch (error) {
      if (attempts === MAX_ATTEMPTS) {
        throw error
      }
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

function leftOpen(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_OPEN',
    'The function given to withoutForeignKeys() left a transaction open, and everything it did is ' +
      'undone. Commit or roll back on every path, and await it.',
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
