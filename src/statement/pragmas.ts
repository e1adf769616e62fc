/**
 * Two pragmas that schema tools send, and that do not work in a Durable Object as they do elsewhere:
 * `foreign_keys`, which is ignored where they expect it to work, and `database_list`, which the
 * platform refuses.
 *
 * @module
 */
import { DurableObjectSqliteError } from '../platform/errors.js'
import { withoutLeadingComments } from './leading-comments.js'
import type { SqlStorage } from '../platform/storage.js'
import { areForeignKeysOn, isWithoutForeignKeys } from '../transaction/without-foreign-keys.js'

const FOREIGN_KEYS =
  /^pragma\s+(?:main\s*\.\s*)?foreign_keys\s*(?:=\s*|\(\s*)['"]?(\w+)['"]?\s*\)?([^]*)$/i

const DATABASE_LIST = /^pragma\s+(?:main\s*\.\s*)?database_list[\s;]*$/i

const NOTHING = /^[\s;]*$/

/** What `pragma database_list` returns. */
export interface DatabaseListRow {
  readonly seq: number
  readonly name: string
  readonly file: string
}

/**
 * Throws `ERR_PRAGMA_IGNORED` if the statement was `pragma foreign_keys = …` and the setting is
 * another one now: SQLite says nothing when it ignores that pragma inside a transaction. Within
 * `withoutForeignKeys()` turning them on is put off to its end.
 *
 * https://www.sqlite.org/pragma.html#pragma_foreign_keys
 */
export function assertForeignKeysPragmaTookEffect(sql: SqlStorage, statement: string): void {
  const wanted = foreignKeysSetting(statement)
  if (wanted === undefined) {
    return
  }
  const isPutOff = wanted && isWithoutForeignKeys(sql)
  if (areForeignKeysOn(sql) !== wanted && !isPutOff) {
    throw new DurableObjectSqliteError(
      'ERR_PRAGMA_IGNORED',
      `pragma foreign_keys = ${wanted ? 'on' : 'off'} had no effect: SQLite ignores it inside a ` +
        'transaction. Send it outside db.transaction() or, for what has to be a transaction, use ' +
        'withoutForeignKeys(ctx.storage, …).',
    )
  }
}

/** What the statement sets `pragma foreign_keys` to, if it is one that sets it. */
export function foreignKeysSetting(statement: string): boolean | undefined {
  const value = FOREIGN_KEYS.exec(withoutLeadingComments(statement))?.[1]
  return value === undefined ? undefined : isTrue(value)
}

/**
 * Whether the error says that `pragma foreign_keys = …`, sent alone, was ignored. A Durable Object
 * opens a transaction with the first write of an event, and commits it when the event waits for
 * `storage.sync()`: after that the same statement works.
 */
export function isForeignKeysPragmaIgnored(error: unknown, statement: string): boolean {
  return (
    error instanceof DurableObjectSqliteError &&
    error.code === 'ERR_PRAGMA_IGNORED' &&
    NOTHING.test(FOREIGN_KEYS.exec(withoutLeadingComments(statement))?.[2] ?? '')
  )
}

/**
 * The rows of `pragma database_list`, for a statement that the platform refused: there is the one
 * database, and nothing can be attached. Undefined for any other statement.
 *
 * https://www.sqlite.org/pragma.html#pragma_database_list
 */
export function readDatabaseList(statement: string): DatabaseListRow[] | undefined {
  return DATABASE_LIST.test(withoutLeadingComments(statement))
    ? [{ seq: 0, name: 'main', file: '' }]
    : undefined
}

/** https://www.sqlite.org/pragma.html: 1, yes, true and on. */
function isTrue(value: string): boolean {
  return /^(?:on|yes|true)$/i.test(value) || Number.parseInt(value, 10) > 0
}
