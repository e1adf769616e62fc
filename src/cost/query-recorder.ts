import type { CompiledQuery } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'
import { isSchemaStatement } from '../statement/statement-kind.js'
import { explain } from './explain.js'
import type { QueryPlan } from './query-plan.js'
import { findScans, type ScanReason } from './scan.js'
import { suggestIndex, type TransactionSyncStorage } from './suggest-index.js'

/** A statement that reads a table whole, or sorts it, as {@link QueryRecorder.scans} returns it. */
export interface Scan {
  /** The SQL text of the statement or, for an unused entry of `allow`, its `sql`. */
  readonly sql?: string
  /** The name of the table. Undefined if the statement could not be explained. */
  readonly table?: string
  /** What is wrong. */
  readonly reason: ScanReason
  /**
   * A `create index` statement. With this index SQLite no longer scans or sorts the table; it has been
   * tried.
   */
  readonly suggestion?: string
}

/**
 * Scans that are allowed: of a `table`, of the statements whose SQL text matches `sql`, or, if both are
 * given, of that table in those statements. The `reason` is for those who read the test.
 *
 * ### Examples
 *
 * ```ts
 * import type { AllowedScan } from 'kysely-durable-sqlite/cost'
 *
 * const allow: AllowedScan[] = [
 *   { table: 'setting', reason: 'It has 20 rows.' },
 *   { sql: /^select count/, reason: 'Runs once a day.' },
 * ]
 * ```
 */
export type AllowedScan =
  | { readonly table: string; readonly sql?: RegExp; readonly reason: string }
  | { readonly table?: string; readonly sql: RegExp; readonly reason: string }

/** Options of {@link QueryRecorder.scans}. */
export interface ScanOptions {
  /** Scans to leave out. Default: none. */
  readonly allow?: readonly AllowedScan[]
}

/** A statement, with the parameters of the run that read the most rows. */
interface Recorded {
  readonly query: CompiledQuery
  readonly rowsRead: number
  readonly hasFailed: boolean
}

/**
 * Records the statements that run, to find those that read whole tables. It is for tests: it keeps each
 * distinct statement, with the parameters of one run.
 *
 * ### Examples
 *
 * ```ts
 * import { Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { QueryRecorder } from 'kysely-durable-sqlite/cost'
 *
 * const recorder = new QueryRecorder()
 * const db = new Kysely<Database>({
 *   dialect: new DurableObjectSqliteDialect(ctx.storage, { onQuery: recorder.onQuery }),
 * })
 *
 * await db.selectFrom('person').selectAll().where('name', '=', 'Ada').execute()
 *
 * recorder.scans(ctx.storage)
 * // [{ sql: 'select …', table: 'person', reason: 'scan',
 * //    suggestion: 'create index `person_name` on `person` (`name`)' }]
 * ```
 */
export class QueryRecorder {
  /** By SQL text. */
  readonly #statements = new Map<string, Recorded>()

  /** For the option `onQuery` of the dialect. */
  readonly onQuery = ({ query, rowsRead, error }: DurableObjectSqliteQueryEvent): void => {
    const known = this.#statements.get(query.sql)
    const hasFailed = error !== undefined
    if (
      known === undefined ||
      (known.hasFailed && !hasFailed) ||
      (known.hasFailed === hasFailed && rowsRead > known.rowsRead)
    ) {
      this.#statements.set(query.sql, { query, rowsRead, hasFailed })
    }
  }

  /**
   * Returns one entry for each statement and table that is read whole, gets an automatic index or is
   * sorted without an index. See {@link ScanReason}. The entries are in the order in which the
   * statements first ran. What an entry of `allow` matches is left out. An entry of `allow` that
   * matches nothing is returned itself.
   *
   * The plans are those of the current schema, so call it before the test drops its tables. Given
   * `ctx.storage`, it also looks for a `suggestion`, by creating indexes in transactions that it
   * undoes. Given `ctx.storage.sql`, it does not, since nothing could be undone.
   *
   * Throws `ERR_INVALID_STORAGE` for anything else.
   */
  scans(storage: SqlStorage | TransactionSyncStorage, { allow = [] }: ScanOptions = {}): Scan[] {
    const { sql, transactional } = toStorage(storage)
    const used = new Set<AllowedScan>()
    const isAllowed = (scan: Scan): boolean => {
      const matching = allow.filter((entry) => matches(entry, scan))
      for (const entry of matching) {
        used.add(entry)
      }
      return matching.length > 0
    }
    const scans = [...this.#statements.values()].flatMap((recorded) =>
      readScans(sql, recorded)
        .filter((scan) => !isAllowed(scan))
        .map((scan) => withSuggestion(scan, recorded.query, transactional)),
    )
    return [...scans, ...allow.filter((entry) => !used.has(entry)).map(toUnused)]
  }
}

function readScans(sql: SqlStorage, { query, hasFailed }: Recorded): Scan[] {
  if (isSchemaStatement(query)) {
    return []
  }
  let plan: QueryPlan
  try {
    plan = explain(sql, query)
  } catch {
    return hasFailed ? [] : [{ sql: query.sql, reason: 'not explained' }]
  }
  return [...findScans(plan)].map(([table, reason]) => ({ sql: query.sql, table, reason }))
}

function withSuggestion(
  scan: Scan,
  query: CompiledQuery,
  storage: TransactionSyncStorage | undefined,
): Scan {
  const { table } = scan
  const suggestion =
    storage === undefined || table === undefined ? undefined : suggestIndex(storage, query, table)
  return suggestion === undefined ? scan : { ...scan, suggestion }
}

function matches(allowed: AllowedScan, { table, sql = '' }: Scan): boolean {
  // `search()`, since a RegExp with the flag `g` remembers where it was.
  return (
    (allowed.table === undefined || allowed.table.toLowerCase() === table?.toLowerCase()) &&
    (allowed.sql === undefined || sql.search(allowed.sql) !== -1)
  )
}

function toUnused({ table, sql }: AllowedScan): Scan {
  return {
    ...(sql === undefined ? undefined : { sql: String(sql) }),
    ...(table === undefined ? undefined : { table }),
    reason: 'unused allow entry',
  }
}

function toStorage(storage: SqlStorage | TransactionSyncStorage): {
  readonly sql: SqlStorage
  readonly transactional: TransactionSyncStorage | undefined
} {
  if (isSqlStorage(storage)) {
    return { sql: storage, transactional: undefined }
  }
  if (!isSqlStorage(storage?.sql)) {
    throw new DurableObjectSqliteError(
      'ERR_INVALID_STORAGE',
      'Pass the storage of the Durable Object: recorder.scans(ctx.storage).',
    )
  }
  return { sql: storage.sql, transactional: storage }
}

function isSqlStorage(
  storage: SqlStorage | TransactionSyncStorage | undefined,
): storage is SqlStorage {
  return typeof (storage as Partial<SqlStorage> | undefined)?.exec === 'function'
}
