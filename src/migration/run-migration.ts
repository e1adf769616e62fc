import { CompiledQuery, Kysely, type KyselyPlugin } from 'kysely'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'
import { DurableObjectSqliteDialect } from '../dialect/dialect.js'
import { DurableObjectSqliteError, toDurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { assertForeignKeysPragmaTookEffect } from '../statement/pragmas.js'
import { Transaction } from '../transaction/transaction.js'
import { assertForeignKeysHold, withoutForeignKeys } from '../transaction/without-foreign-keys.js'
import { mayHaveDeferredViolations } from './deferred-violations.js'
import { Journal } from './journal.js'
import type { PlannedMigration } from './migration-plan.js'

/** `ctx.storage`, as far as migrations need it. */
export interface MigrationStorage extends DurableObjectStorageLike {
  /** Returns the current point in time, which the journal keeps for {@link restoreBefore}. */
  getCurrentBookmark(): Promise<string>
}

/** What a migration did, for {@link MigrateOptions.onMigration}. */
export interface MigrationEvent {
  /** Its name. */
  readonly name: string
  /** Whether `up` or `down` ran. */
  readonly direction: 'up' | 'down'
  /** When it began. */
  readonly start: Date
  /** When it was committed. The platform's clock stands still while code runs. */
  readonly end: Date
  /** Rows that the migration wrote, including those of indexes: what Cloudflare bills. */
  readonly rowsWritten: number
}

export interface RunOptions {
  readonly plugins: readonly KyselyPlugin[]
  /** Milliseconds since the epoch: the journal's times ascend, also where the clock goes back. */
  readonly after: number
  /** Of all migrations, and their number, if all are applied once this one is. */
  readonly complete: { readonly fingerprint: string; readonly count: number } | undefined
}

/**
 * Runs a migration and writes its journal entry, both in one transaction. Undefined if another
 * `Migrator` has run it meanwhile. Throws `ERR_MIGRATION_FAILED`, with the error as `cause`.
 */
export async function runMigration(
  storage: MigrationStorage,
  migration: PlannedMigration,
  options: RunOptions,
): Promise<MigrationEvent | undefined> {
  const { name, direction, foreignKeysOff } = migration
  const counter = new MigrationSql(storage.sql)
  const db = new Kysely<unknown>({
    dialect: new DurableObjectSqliteDialect(storage, { onQuery: counter.add }),
    plugins: [...options.plugins],
  })
  try {
    const bookmark = direction === 'up' ? await currentBookmark(storage) : null
    const run = (): Promise<MigrationEvent | undefined> =>
      db.transaction().execute((trx) => apply(trx, counter, migration, { ...options, bookmark }))
    return foreignKeysOff ? await withoutForeignKeys(storage, run) : await run()
  } catch (error) {
    const cause = error instanceof FailedStatement ? error.cause : error
    throw new DurableObjectSqliteError(
      'ERR_MIGRATION_FAILED',
      `Migration ${name} (${direction}) failed and was undone: ${messageOf(error)}`,
      { cause, sql: cause instanceof DurableObjectSqliteError ? cause.sql : undefined },
    )
  }
}

async function apply(
  trx: Kysely<unknown>,
  counter: MigrationSql,
  migration: PlannedMigration,
  { after, complete, bookmark }: RunOptions & { readonly bookmark: string | null },
): Promise<MigrationEvent | undefined> {
  const { name, direction, checksum } = migration
  const journal = new Journal(trx)
  await journal.prepare()
  if ((await journal.has(name)) === (direction === 'up')) {
    return undefined
  }
  const start = new Date()
  await counter.runStep(() => runStep(trx, counter, migration))
  const { rowsWritten } = counter
  if (await mayHaveDeferredViolations(trx)) {
    assertForeignKeysHold(counter)
  }
  const end = new Date()
  if (direction === 'up') {
    const timestamp = new Date(Math.max(end.getTime(), after + 1)).toISOString()
    await journal.add({ name, timestamp, checksum, bookmark })
    if (complete !== undefined) {
      await journal.writeFingerprint(complete.fingerprint, complete.count)
    }
  } else {
    await journal.remove(name)
  }
  return { name, direction, start, end, rowsWritten }
}

async function runStep(
  trx: Kysely<unknown>,
  sql: SqlStorage,
  { migration, direction, statements }: PlannedMigration,
): Promise<void> {
  if (statements === undefined) {
    // Called on the migration, which may be an instance of a class.
    await (migration as Record<'up' | 'down', StepFunction>)[direction](trx, sql)
    return
  }
  for (const [index, statement] of statements.entries()) {
    try {
      await trx.executeQuery(CompiledQuery.raw(statement))
    } catch (error) {
      throw new FailedStatement(statement, index + 1, statements.length, error)
    }
  }
}

type StepFunction = (db: Kysely<unknown>, sql: SqlStorage) => Promise<unknown>

/** Names the statement that failed, in the message of the error that a caller sees. */
class FailedStatement extends Error {
  constructor(statement: string, position: number, count: number, cause: unknown) {
    const start = statement.length > 80 ? `${statement.slice(0, 80)}…` : statement
    super(`${messageOf(cause)} in statement ${position} of ${count}: ${start}`, { cause })
  }
}

/**
 * `ctx.storage.sql`, while the transaction of the migration is open, counting the rows written. A cursor
 * knows them from the start: SQLite makes all changes before it returns the first row.
 */
class MigrationSql implements SqlStorage {
  readonly #sql: SqlStorage
  #transaction: Transaction | undefined
  rowsWritten = 0

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** Begins to count, and runs the step in the open transaction. Rejects if that is open for too long. */
  async runStep(run: () => Promise<void>): Promise<void> {
    this.rowsWritten = 0
    this.#transaction = Transaction.openOn(this.#sql)
    await (this.#transaction?.untilExpired(run()) ?? run())
  }

  exec(query: string, ...bindings: unknown[]): ReturnType<SqlStorage['exec']> {
    this.#transaction?.assertOpen()
    try {
      const cursor = this.#sql.exec(query, ...bindings)
      this.rowsWritten += cursor.rowsWritten
      assertForeignKeysPragmaTookEffect(this.#sql, query)
      return cursor
    } catch (error) {
      throw toDurableObjectSqliteError(error, query)
    }
  }

  readonly add = ({ rowsWritten }: DurableObjectSqliteQueryEvent): void => {
    this.rowsWritten += rowsWritten
  }
}

/** A platform without point-in-time recovery migrates all the same. */
async function currentBookmark(storage: MigrationStorage): Promise<string | null> {
  try {
    return await storage.getCurrentBookmark()
  } catch {
    return null
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
