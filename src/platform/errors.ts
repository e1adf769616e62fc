import { limitHint } from './limit-hints.js'

/** A code of this library's own, as {@link DurableObjectSqliteError.code}. */
export type DurableObjectSqliteErrorCode =
  /**
   * A value that SQLite would store as something else, such as a `Date`, an object or `NaN`, or that
   * the codec of its column refuses. Nothing is written.
   */
  | 'ERR_UNSUPPORTED_PARAMETER'
  /**
   * A stored value that the codec of its column cannot read, such as the text `yes` in a `boolean()`
   * column. Or a query that would round an `int64()` column.
   */
  | 'ERR_COLUMN_VALUE'
  /**
   * An `insert … select` leaves out a column with a `default`, which cannot be called for rows that
   * SQLite selects. Name the column and select a value for it.
   */
  | 'ERR_COLUMN_DEFAULT'
  /** The SQL text has more or fewer placeholders than there are values. */
  | 'ERR_PARAMETER_COUNT'
  /**
   * A query has too many values: they do not even fit in 100 JSON texts. Use several queries.
   */
  | 'ERR_TOO_MANY_PARAMETERS'
  /**
   * A query builder got no rows, no columns or nothing to set, where SQL needs some: `values([])`,
   * `set({})`.
   */
  | 'ERR_EMPTY_LIST'
  /** The SQL text is empty, or contains only comments. */
  | 'ERR_NO_STATEMENT'
  /**
   * The class of the Durable Object is not SQLite-backed. List it in `new_sqlite_classes` in the
   * Wrangler configuration.
   */
  | 'ERR_SQL_NOT_ENABLED'
  /** Something other than `ctx.storage` or `ctx.storage.sql` was passed. */
  | 'ERR_INVALID_STORAGE'
  /**
   * An option of a dialect or of a `RemoteDatabase`, or the format of a `date()`, has a value that it
   * cannot have, such as `transactionTimeout: 0`.
   */
  | 'ERR_INVALID_OPTION'
  /**
   * `pragma foreign_keys = …` was sent in a transaction, where SQLite ignores it. Use
   * `withoutForeignKeys()`.
   */
  | 'ERR_PRAGMA_IGNORED'
  /** `withoutForeignKeys()` was called while another call was running on the same storage. */
  | 'ERR_FOREIGN_KEYS_OFF'
  /**
   * After `withoutForeignKeys()` or a migration, rows would have referred to rows that do not exist.
   * Everything was undone.
   */
  | 'ERR_FOREIGN_KEY_VIOLATION'
  /**
   * A transaction was begun on a dialect made from `ctx.storage.sql`. Make the dialect from
   * `ctx.storage`.
   */
  | 'ERR_TRANSACTION_UNSUPPORTED'
  /**
   * `begin`, `commit`, `rollback`, `savepoint` or `release` was sent as SQL. Use
   * `db.transaction()`.
   */
  | 'ERR_TRANSACTION_STATEMENT'
  /**
   * A query or a transaction waited longer than `transactionTimeout` for another transaction to end, or
   * migrations waited 10 s for one. Or a transaction was rolled back: it was open for more than 25 s,
   * or waited for its next statement longer than the `transactionTimeout` of a `RemoteDatabase`.
   */
  | 'ERR_TRANSACTION_TIMEOUT'
  /**
   * A query was sent on a transaction that is ending or has ended. Await every query in the body of the
   * transaction.
   */
  | 'ERR_TRANSACTION_ENDED'
  /** A transaction with `setAccessMode('read only')` tried to write. It was rolled back. */
  | 'ERR_READ_ONLY_TRANSACTION'
  /**
   * A query on a `RemoteDatabase` with `access: 'read-only'` tried to write. Nothing of it was kept.
   */
  | 'ERR_READ_ONLY'
  /**
   * The connection from a remote query to the object broke. The message says whether the statement may
   * have run.
   */
  | 'ERR_CONNECTION_LOST'
  /**
   * A remote query or its result is larger than the 32 MiB that a message between Workers carries.
   */
  | 'ERR_MESSAGE_TOO_LARGE'
  /**
   * A synchronous query was sent while a `db.transaction()` was open. It cannot wait: inside the
   * transaction, use `new SyncExecutor(trx, ctx.storage)`. Or the function of `withoutForeignKeys()`
   * left a transaction open.
   */
  | 'ERR_TRANSACTION_OPEN'
  /**
   * The value of a parameter of a prepared query is missing, or the prepared query has no parameter of
   * that name.
   */
  | 'ERR_PARAMETER_NAME'
  /**
   * A Kysely instance with another dialect, or on another storage, was passed to `SyncExecutor`,
   * `RemoteDatabase`, `batch()` or `QueryBudget.meter()`. Or `RemoteDurableObjectDialect` got something
   * other than a function.
   */
  | 'ERR_INVALID_DATABASE'
  /**
   * A `SyncExecutor` was made from a Kysely instance with a plugin that returns its results only in a
   * promise. See `SyncResultPlugin`.
   */
  | 'ERR_UNSUPPORTED_PLUGIN'
  /** The closure of a synchronous transaction returned a promise. Everything was undone. */
  | 'ERR_ASYNC_TRANSACTION'
  /**
   * A column mapping names a codec that does not exist, or an import whose name is not possible or is
   * taken.
   */
  | 'ERR_INVALID_COLUMN_MAPPING'
  /**
   * The name for the generated interface is taken, or does not begin with a capital letter.
   */
  | 'ERR_INVALID_INTERFACE_NAME'
  /**
   * A migration has an empty name, the same name as another, no statement, or an option that does not
   * exist.
   */
  | 'ERR_INVALID_MIGRATION'
  /** A migration failed and was undone. The `cause` is its error. */
  | 'ERR_MIGRATION_FAILED'
  /** Another run of Kysely's `Migrator` on the same object has not ended yet. */
  | 'ERR_MIGRATION_LOCKED'
  /** A migration that was applied is not among those given. */
  | 'ERR_MIGRATION_MISSING'
  /** The SQL text of a migration is not the one that was applied. */
  | 'ERR_MIGRATION_EDITED'
  /** A new migration sorts before one that was applied. */
  | 'ERR_MIGRATION_UNORDERED'
  /**
   * No migration has the name passed to `migrateTo()`, or the one passed to `restoreBefore()` was not
   * applied.
   */
  | 'ERR_MIGRATION_UNKNOWN'
  /** A migration that would have to be undone has no `down`. */
  | 'ERR_MIGRATION_IRREVERSIBLE'
  /** `rebuildTable()` cannot rebuild the table without losing something. The message says what. */
  | 'ERR_TABLE_REBUILD'
  /**
   * The journal has no point in time for `restoreBefore()`, or the platform cannot go back to it, as in
   * local development.
   */
  | 'ERR_POINT_IN_TIME_UNAVAILABLE'
  /** `explain()` got a SQL text of several statements. */
  | 'ERR_SEVERAL_STATEMENTS'
  /**
   * The queries of a meter have read or written more rows than their `QueryBudget` allows. The last
   * query has run.
   */
  | 'ERR_BUDGET_EXCEEDED'
  /** A limit of a `QueryBudget` is not a number of 0 or more. */
  | 'ERR_INVALID_BUDGET'

/** https://v8.dev/docs/stack-trace-api */
const V8Error = Error as ErrorConstructor & { stackTraceLimit?: number | undefined }

/** In a transaction Kysely's own frames alone are more than V8's default of 10. */
const STACK_TRACE_LIMIT = 30

/**
 * The error that a failed query rejects with, whether SQLite, the platform or this library refused it.
 * If the platform refused it, `message` is the platform's message, and `cause` its error.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObjectSqliteError } from 'kysely-durable-sqlite'
 *
 * try {
 *   await db.insertInto('person').values({ name: 'Ada', email: 'ada@example.com' }).execute()
 * } catch (error) {
 *   if (error instanceof DurableObjectSqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
 *     console.log('That address is taken.')
 *   } else {
 *     throw error
 *   }
 * }
 * ```
 *
 * @hideconstructor
 */
export class DurableObjectSqliteError extends Error {
  override readonly name = 'DurableObjectSqliteError'

  /**
   * SQLite's code (`'SQLITE_CONSTRAINT_UNIQUE'`) or one of this library's own (`'ERR_…'`). SQLite's is
   * the extended code where the platform gives it.
   *
   * https://www.sqlite.org/rescode.html
   */
  readonly code: DurableObjectSqliteErrorCode | `SQLITE_${string}`

  /** What to do instead, if the query exceeded a limit of the platform. Otherwise undefined. */
  readonly hint: string | undefined

  /**
   * The SQL text of the statement that failed, without its values. Undefined if no statement did: the
   * query could not be compiled, it waited too long, or an argument was wrong.
   */
  readonly sql: string | undefined

  /** The position of the failed query in a `batch()`, from 0. Otherwise undefined. */
  readonly index: number | undefined

  constructor(
    code: DurableObjectSqliteErrorCode | `SQLITE_${string}`,
    message: string,
    options?: ErrorOptions & {
      readonly hint?: string | undefined
      readonly sql?: string | undefined
      readonly index?: number | undefined
    },
  ) {
    const { stackTraceLimit } = V8Error
    if (stackTraceLimit) {
      V8Error.stackTraceLimit = Math.max(stackTraceLimit, STACK_TRACE_LIMIT)
    }
    super(message, options)
    V8Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.hint = options?.hint
    this.sql = options?.sql
    this.index = options?.index
  }
}

/**
 * The end of a message that comes from SQLite: `…: SQLITE_ERROR`, or
 * `…: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`.
 *
 * https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c++
 */
const SQLITE_CODE = /: (SQLITE_[A-Z_]+)(?: \(extended: (SQLITE_[A-Z_]+)\))?$/

/** What workerd itself refuses, by the start of its message. */
const PLATFORM_ERRORS: readonly {
  readonly start: string
  readonly code: DurableObjectSqliteErrorCode
  /** Added in front of the platform's message, where that one would send the reader the wrong way. */
  readonly instead?: string
}[] = [
  {
    start: 'To execute a transaction, please use the state.storage.transaction()',
    code: 'ERR_TRANSACTION_STATEMENT',
    instead:
      'A transaction cannot be controlled by SQL text in a Durable Object. Use db.transaction(), ' +
      'db.startTransaction() with its savepoints, or withDoTransaction() instead.',
  },
  { start: 'Wrong number of parameter bindings', code: 'ERR_PARAMETER_COUNT' },
  { start: 'SQL code did not contain a statement', code: 'ERR_NO_STATEMENT' },
  { start: 'SQL is not enabled for this Durable Object class', code: 'ERR_SQL_NOT_ENABLED' },
]

/**
 * The error to throw for what was thrown when a statement ran: with a code, the statement, and the
 * original as `cause`. The message stays as it was. What is neither SQLite's nor a refusal of the
 * platform is returned untouched.
 */
export function toDurableObjectSqliteError(error: unknown, sql: string): unknown {
  if (error instanceof DurableObjectSqliteError) {
    // This library's own refusal of the statement, made where its text was not at hand.
    ;(error as { sql: string | undefined }).sql ??= sql
    return error
  }
  if (!(error instanceof Error)) {
    return error
  }
  const { message } = error
  const match = SQLITE_CODE.exec(message)
  if (match !== null) {
    const code = (match[2] ?? match[1]) as `SQLITE_${string}`
    return new DurableObjectSqliteError(code, message, {
      cause: error,
      hint: limitHint(message),
      sql,
    })
  }
  const known = PLATFORM_ERRORS.find(({ start }) => message.startsWith(start))
  if (known !== undefined) {
    return new DurableObjectSqliteError(known.code, known.instead ?? message, { cause: error, sql })
  }
  return error
}
