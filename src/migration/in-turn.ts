import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { TransactionGate } from '../transaction/transaction-gate.js'

/** Milliseconds. */
const WAIT_FOR_TRANSACTION = 10_000

/** Milliseconds. The platform resets an object after 30 s in `blockConcurrencyWhile()`. */
const WAIT_FOR_RUN = 25_000

/** The end of all runs of each database. Only runs in the same isolate can be concurrent. */
const runs = new WeakMap<SqlStorage, Promise<unknown>>()

/**
 * Runs one after the other, so that none sees what another has not committed. None waits for ever: one
 * that is called in a migration waits for the end of that, and one in `blockConcurrencyWhile()` may wait
 * for one that the platform holds back until it ends.
 */
export async function inTurn<T>(sql: SqlStorage, body: () => Promise<T>): Promise<T> {
  const gate = TransactionGate.of(sql)
  if (gate.isClosed) {
    await gate.wait(WAIT_FOR_TRANSACTION, undefined, waitedForTransaction)
  }
  const before = runs.get(sql)
  const current = before === undefined ? body() : endOf(before).then(body)
  const all = Promise.allSettled([before, current])
  runs.set(sql, all)
  const forget = (): void => {
    if (runs.get(sql) === all) {
      runs.delete(sql)
    }
  }
  void all.then(forget)
  return current
}

async function endOf(all: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(waitedForRun()), WAIT_FOR_RUN)
  })
  try {
    await Promise.race([all, tooLong])
  } finally {
    clearTimeout(timer)
  }
}

function waitedForTransaction(timeout: number): string {
  return (
    `Migrations waited for ${timeout} ms for the open transaction to end. Call migrateToLatest() and ` +
    'migrateTo() outside of transactions and of migrations, for whose end they would wait.'
  )
}

function waitedForRun(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_TIMEOUT',
    `Migrations waited for ${WAIT_FOR_RUN} ms for another migrateToLatest() or migrateTo() on this ` +
      'object to end. Call it in blockConcurrencyWhile() alone, or not at all: what was begun outside ' +
      'of it goes on only when it has ended.',
  )
}
