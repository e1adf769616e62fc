import type { CompiledQuery, QueryResult } from 'kysely'
import { DurableObjectSqliteError, toDurableObjectSqliteError } from '../platform/errors.js'
import { changesOfSeveralRows, readToEnd } from './several-rows.js'
import { toSqliteParameters } from './parameters.js'
import {
  assertForeignKeysPragmaTookEffect,
  isForeignKeysPragmaIgnored,
  readDatabaseList,
} from './pragmas.js'
import { planOf } from './query-columns.js'
import { tableOfRawInsert } from './raw-insert.js'
import { withoutPlatformTables } from './platform-tables.js'
import type { OnQuery } from './query-event.js'
import { closeCursor, inChunks, readRows, readValues, rowReader } from './rows.js'
import { isSchemaStatement, isWrite, mayUpdate } from './statement-kind.js'
import { Tables } from './tables.js'
import type {
  DurableObjectStorageLike,
  SqlStorage,
  SqlStorageCursor,
  SqlStorageValue,
} from '../platform/storage.js'
import type { RefuseWrite } from '../transaction/transaction.js'

const CHANGES = 'select changes() as changes, last_insert_rowid() as rowid'
const ROWID_AS_TEXT = 'select cast(last_insert_rowid() as text) as rowid'

export interface DurableObjectSqliteDatabaseOptions {
  readonly onQuery?: OnQuery | undefined
  /** Without it a statement that fails may leave some of its rows. */
  readonly storage?: DurableObjectStorageLike | undefined
  /** With whom to share what is known of tables. */
  readonly tables?: Tables
}

/**
 * Runs compiled queries on `ctx.storage.sql` and asks SQLite what they did. All of it is
 * synchronous, as the platform is.
 */
export class DurableObjectSqliteDatabase {
  readonly #sql: SqlStorage
  readonly #options: DurableObjectSqliteDatabaseOptions
  readonly #onQuery: OnQuery | undefined
  readonly #storage: DurableObjectStorageLike | undefined
  readonly #tables: Tables
  #followUpRowsRead = 0

  constructor(sql: SqlStorage, options: DurableObjectSqliteDatabaseOptions = {}) {
    this.#sql = sql
    this.#options = options
    this.#onQuery = options.onQuery
    this.#storage = options.storage
    this.#tables = new Tables((question, name) => this.#ask(question, name), options.tables)
  }

  /** The same, for queries of which another function is told after `onQuery`, whatever that throws. */
  withObserver(observer: OnQuery): DurableObjectSqliteDatabase {
    const onQuery = this.#onQuery
    const both: OnQuery = (event) => {
      try {
        onQuery?.(event)
      } finally {
        observer(event)
      }
    }
    return new DurableObjectSqliteDatabase(this.#sql, {
      ...this.#options,
      onQuery: onQuery === undefined ? observer : both,
      tables: this.#tables,
    })
  }

  /** Whether it is that of this storage. */
  isOn(sql: SqlStorage): boolean {
    return this.#sql === sql
  }

  /** Runs one statement, with its own parameters or with others, and reads its whole result. */
  execute<R>(
    query: CompiledQuery,
    refuseWrite?: RefuseWrite,
    parameters: readonly unknown[] = query.parameters,
  ): QueryResult<R> {
    let cursor: SqlStorageCursor | undefined
    let result: QueryResult<unknown>
    this.#followUpRowsRead = 0
    const plan = planOf(query)
    try {
      if (plan !== undefined) {
        ;({ query, parameters } = plan.bind(query, parameters))
      }
      cursor = this.#exec(query, parameters)
      const { columnNames } = cursor
      result =
        columnNames.length > 0
          ? { rows: readRows(cursor, columnNames, plan?.rowReader) }
          : this.#readChanges(query, cursor)
      if (refuseWrite !== undefined && mayHaveWritten(cursor)) {
        refuseWrite()
      }
    } catch (error) {
      const databaseList = readDatabaseList(query.sql)
      if (databaseList !== undefined) {
        return { rows: databaseList as R[] }
      }
      const failure = toDurableObjectSqliteError(error, query.sql)
      const sql = isUnauthorized(failure) ? withoutPlatformTables(query.sql) : undefined
      if (sql !== undefined) {
        return this.execute({ ...query, sql }, refuseWrite, parameters)
      }
      throw this.#failed(query, parameters, cursor, failure)
    }
    this.#report(query, parameters, cursor, this.#followUpRowsRead)
    // SQLite alone knows the type of the rows; Kysely's types state it.
    return result as QueryResult<R>
  }

  /** Runs one statement for its effect alone, and asks nothing about it. */
  run(
    query: CompiledQuery,
    refuseWrite?: RefuseWrite,
    parameters: readonly unknown[] = query.parameters,
  ): void {
    let cursor: SqlStorageCursor | undefined
    this.#followUpRowsRead = 0
    const plan = planOf(query)
    try {
      if (plan !== undefined) {
        ;({ query, parameters } = plan.bind(query, parameters))
      }
      cursor = this.#exec(query, parameters)
      if (cursor.columnNames.length > 0) {
        // A write that is not read to its end breaks the commit of the object.
        readValues(cursor)
      } else {
        this.#hasChanges(query, cursor)
      }
      if (refuseWrite !== undefined && mayHaveWritten(cursor)) {
        refuseWrite()
      }
    } catch (error) {
      throw this.#failed(query, parameters, cursor, error)
    }
    this.#report(query, parameters, cursor, this.#followUpRowsRead)
  }

  /**
   * Runs one statement and reads its rows as they are asked for, in chunks. Ending the generator
   * early closes the cursor.
   */
  *stream<R>(
    query: CompiledQuery,
    chunkSize: number,
    refuseWrite?: RefuseWrite,
  ): Generator<QueryResult<R>, void> {
    let cursor: SqlStorageCursor | undefined
    let followUpRowsRead = 0
    let failure: unknown
    let { parameters } = query
    const plan = planOf(query)
    this.#followUpRowsRead = 0
    try {
      if (plan !== undefined) {
        ;({ query, parameters } = plan.bind(query, parameters))
      }
      cursor = this.#exec(query, parameters)
      if (refuseWrite !== undefined && mayHaveWritten(cursor)) {
        refuseWrite()
      }
      followUpRowsRead = this.#followUpRowsRead
      const { columnNames } = cursor
      if (columnNames.length === 0) {
        const result = this.#readChanges(query, cursor)
        followUpRowsRead = this.#followUpRowsRead
        yield result
        return
      }
      // A write that is not read to its end breaks the commit of the object. SQLite has made all its
      // changes before the first row: https://www.sqlite.org/lang_returning.html
      const values = cursor.rowsWritten > 0 || isWrite(query) ? readValues(cursor) : cursor.raw()
      yield* inChunks<R>(values, (plan?.rowReader ?? rowReader)(columnNames), chunkSize)
    } catch (error) {
      failure = toDurableObjectSqliteError(error, query.sql)
      throw failure
    } finally {
      if (cursor !== undefined && cursor.columnNames.length > 0) {
        closeCursor(cursor)
      }
      this.#report(query, parameters, cursor, followUpRowsRead, failure)
    }
  }

  /** Runs the statement. One that fails leaves none of its rows, as far as it can be undone. */
  #exec(query: CompiledQuery, parameters: readonly unknown[]): SqlStorageCursor {
    const bindings = toSqliteParameters(parameters, query)
    const storage = this.#storage
    return storage !== undefined && this.#mayLeaveRows(query)
      ? storage.transactionSync(() => readToEnd(this.#sql.exec(query.sql, ...bindings)))
      : this.#sql.exec(query.sql, ...bindings)
  }

  /**
   * Whether SQLite may leave rows of a statement that fails in the middle. It undoes a statement inside
   * a transaction only where it has compiled a check that aborts it, and takes neither the types of a
   * STRICT table nor that of an `integer primary key` for one.
   *
   * https://github.com/sqlite/sqlite/blob/master/src/vdbeaux.c (usesStmtJournal)
   */
  #mayLeaveRows({ query }: CompiledQuery): boolean {
    const change = changesOfSeveralRows(query)
    return change !== undefined && (change.hasConflictClause || this.#tables.isStrict(change.table))
  }

  /** The result of a statement without result columns. */
  #readChanges(query: CompiledQuery, cursor: SqlStorageCursor): QueryResult<never> {
    if (!this.#hasChanges(query, cursor)) {
      return { rows: [], numAffectedRows: 0n }
    }
    const { changes, rowid } = this.#ask<{ changes: number; rowid: number }>(CHANGES)
    const numAffectedRows = BigInt(changes)
    return changes > 0 && this.#insertsRow(query)
      ? { rows: [], numAffectedRows, insertId: this.#exactRowid(rowid) }
      : { rows: [], numAffectedRows }
  }

  /** Whether a statement without result columns wrote rows, and not nothing or the schema. */
  #hasChanges(query: CompiledQuery, cursor: SqlStorageCursor): boolean {
    if (cursor.rowsWritten === 0) {
      if (!isWrite(query)) {
        assertForeignKeysPragmaTookEffect(this.#sql, query.sql)
      }
      return false
    }
    if (isSchemaStatement(query)) {
      this.#tables.forget()
      return false
    }
    return true
  }

  /**
   * Whether `last_insert_rowid()` is of a row that this statement inserted, if it changed one. An
   * update, a write to a view or to a WITHOUT ROWID table, and an upsert that updates leave it as it
   * was before.
   */
  #insertsRow({ query, sql }: CompiledQuery): boolean {
    switch (query?.kind) {
      case 'InsertQueryNode':
        return !mayUpdate(query) && this.#hasRowid(query.into?.table.identifier.name)
      case 'UpdateQueryNode':
      case 'DeleteQueryNode':
        return false
      default:
        return this.#hasRowid(tableOfRawInsert(sql))
    }
  }

  #hasRowid(table: string | undefined): boolean {
    return table !== undefined && this.#tables.hasRowid(table)
  }

  /** A number from SQLite is rounded beyond 2^53. */
  #exactRowid(rowid: number): bigint {
    return BigInt(
      Number.isSafeInteger(rowid) ? rowid : this.#ask<{ rowid: string }>(ROWID_AS_TEXT).rowid,
    )
  }

  #ask<T extends Record<string, SqlStorageValue>>(question: string, ...bindings: string[]): T {
    const cursor = this.#sql.exec(question, ...bindings)
    const row = cursor.one()
    this.#followUpRowsRead += cursor.rowsRead
    return row as T
  }

  /** What to throw for what was thrown. */
  #failed(
    query: CompiledQuery,
    parameters: readonly unknown[],
    cursor: SqlStorageCursor | undefined,
    error: unknown,
  ): unknown {
    const failure = toDurableObjectSqliteError(error, query.sql)
    // The connection sends a pragma that was ignored again, and that time counts.
    if (!isForeignKeysPragmaIgnored(failure, query.sql)) {
      this.#report(query, parameters, cursor, this.#followUpRowsRead, failure)
    }
    return failure
  }

  #report(
    query: CompiledQuery,
    parameters: readonly unknown[],
    cursor: SqlStorageCursor | undefined,
    followUpRowsRead: number,
    error?: unknown,
  ): void {
    this.#onQuery?.({
      query: parameters === query.parameters ? query : { ...query, parameters },
      rowsRead: (cursor?.rowsRead ?? 0) + followUpRowsRead,
      rowsWritten: cursor?.rowsWritten ?? 0,
      ...(error === undefined ? undefined : { error }),
    })
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof DurableObjectSqliteError && error.code === 'SQLITE_AUTH'
}

/**
 * A statement without result columns writes, changes the schema or sets a pragma; `drop table`
 * counts no row as written.
 */
function mayHaveWritten(cursor: SqlStorageCursor): boolean {
  return cursor.rowsWritten > 0 || cursor.columnNames.length === 0
}
