import { limitHint } from './limit-hints.js'

/** A code of this library's own, as {@link DurableObjectSqliteError.code}. */
export type DurableObjectSqliteErrorCode =
  /** A value that SQLite would store as something else. */
  | 'ERR_UNSUPPORTED_PARAMETER'
  /** The statement has more or fewer placeholders than values. */
  | 'ERR_PARAMETER_COUNT'
  /** The values of a query are too large to be bound, even as JSON texts. */
  | 'ERR_TOO_MANY_PARAMETERS'
  /** The SQL text is empty, or nothing but comments. */
  | 'ERR_NO_STATEMENT'
  /** The Durable Object class is not SQLite-backed. */
  | 'ERR_SQL_NOT_ENABLED'
  /** The dialect was given something other than `ctx.storage` or `ctx.storage.sql`. */
  | 'ERR_INVALID_STORAGE'
  /** A `pragma` that SQLite ignored. */
  | 'ERR_PRAGMA_IGNORED'
  /** `withoutForeignKeys()` called while it is running. */
  | 'ERR_FOREIGN_KEYS_OFF'
  /** Rows refer to rows that are not there, after a migration or what was done without foreign keys. */
  | 'ERR_FOREIGN_KEY_VIOLATION'
  /** A transaction on a dialect made from `ctx.storage.sql`. */
  | 'ERR_TRANSACTION_UNSUPPORTED'
  /** `begin`, `commit`, `rollback`, `savepoint` or `release` sent as SQL. */
  | 'ERR_TRANSACTION_STATEMENT'
  /** A query waited too long for a transaction, or a transaction was open for too long. */
  | 'ERR_TRANSACTION_TIMEOUT'
  /** A query reached a transaction that is ending or has ended. */
  | 'ERR_TRANSACTION_ENDED'
  /** A write in a `read only` transaction. */
  | 'ERR_READ_ONLY_TRANSACTION'
  /** A synchronous query while a `db.transaction()` is open. */
  | 'ERR_TRANSACTION_OPEN'
  /** A value of a prepared query is missing, or has a name that the query does not know. */
  | 'ERR_PARAMETER_NAME'
  /** A `SyncExecutor` was given a Kysely of another dialect, or of another storage. */
  | 'ERR_INVALID_DATABASE'
  /** A `SyncExecutor` was given a Kysely with a plugin whose results need a promise. */
  | 'ERR_UNSUPPORTED_PLUGIN'
  /** A promise returned by the closure of a synchronous transaction. */
  | 'ERR_ASYNC_TRANSACTION'
  /** The name for the generated interface is no identifier, or taken. */
  | 'ERR_INVALID_COLUMN_MAPPING'
  | 'ERR_INVALID_INTERFACE_NAME'
  /** A migration that is none: an empty or doubled name, no statement, a wrong option. */
  | 'ERR_INVALID_MIGRATION'
  /** A migration failed, and was undone. */
  | 'ERR_MIGRATION_FAILED'
  /** A migration that was applied is not among those given. */
  | 'ERR_MIGRATION_MISSING'
  /** The SQL text of a migration is not the one that was applied. */
  | 'ERR_MIGRATION_EDITED'
  /** A new migration sorts before one that was applied. */
  | 'ERR_MIGRATION_UNORDERED'
  /** No migration has that name, or it was not applied. */
  | 'ERR_MIGRATION_UNKNOWN'
  /** A migration without `down` is to be undone. */
  | 'ERR_MIGRATION_IRREVERSIBLE'
  /** A table cannot be rebuilt without losing something. */
  | 'ERR_TABLE_REBUILD'
  /** The platform cannot go back to the point in time, or it is not known. */
  | 'ERR_POINT_IN_TIME_UNAVAILABLE'

/** https://v8.dev/docs/stack-trace-api */
const V8Error = Error as ErrorConstructor & { stackTraceLimit?: number | undefined }

/** In a transaction Kysely's own frames alone are more than V8's default of 10. */
const STACK_TRACE_LIMIT = 30

/**
 * The error that every query rejects with, whether SQLite, the platform or this library refused it.
 *
 * ### Examples
 *
 * ```ts
 * try {
 *   await db.insertInto('person').values({ email: 'ada@example.com' }).execute()
 * } catch (error) {
 *   if (error instanceof DurableObjectSqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
 *     return 'That address is taken.'
 *   }
 *   throw error
 * }
 * ```
 */
export class DurableObjectSqliteError extends Error {
  override readonly name = 'DurableObjectSqliteError'

  /**
   * SQLite's code, the extended one where the platform gives it (`'SQLITE_CONSTRAINT_UNIQUE'`), or
   * one of this library's own (`'ERR_…'`).
   *
   * https://www.sqlite.org/rescode.html
   */
  readonly code: DurableObjectSqliteErrorCode | `SQLITE_${string}`

  /** For a limit of the platform: what to do instead. */
  readonly hint: string | undefined

  /**
   * The text of the statement that was at fault, without its values. Undefined where none was: a
   * query that could not be compiled, or waited too long, or a wrong argument.
   */
  readonly sql: string | undefined

  constructor(
    code: DurableObjectSqliteErrorCode | `SQLITE_${string}`,
    message: string,
    options?: ErrorOptions & {
      readonly hint?: string | undefined
      readonly sql?: string | undefined
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
