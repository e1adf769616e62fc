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

/** Whatever sets the pragma has its name in it, in any case: a name in SQL has no other spelling. */
const FOREIGN_KEYS = /\bforeign_keys\b/gi

/** Up to a semicolon that is in no comment, string or quoted name. */
const STATEMENT =
  /(?:[^;'"`[/-]+|--[^\n]*|\/\*[^]*?(?:\*\/|$)|'[^']*'?|"[^"]*"?|`[^`]*`?|\[[^\]]*\]?|[^;])+/g

/** A pragma that takes the same values, works inside a transaction, and that hardly anybody uses. */
const STAND_IN = 'reverse_unordered_selects'

const DATABASE_LIST = /^pragma\s+(?:main\s*\.\s*)?database_list[\s;]*$/i

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
  const wanted = foreignKeysSetting(sql, statement)
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

/**
 * What the statements of the text set `pragma foreign_keys` to, if one of them does.
 *
 * SQLite is asked, since quotes, comments and signs make many spellings of it. Inside a transaction the
 * pragma itself does not answer, so the same text is tried with the name of another one.
 */
export function foreignKeysSetting(sql: SqlStorage, text: string): boolean | undefined {
  if (text.search(FOREIGN_KEYS) === -1) {
    return undefined
  }
  return statementsOf(text)
    .filter((statement) => /^pragma/i.test(statement))
    .map((statement) => standInSetting(sql, statement.replaceAll(FOREIGN_KEYS, STAND_IN)))
    .findLast((setting) => setting !== undefined)
}

/** What the statement sets the stand-in to: the same, whatever it was before. */
function standInSetting(sql: SqlStorage, statement: string): boolean | undefined {
  const before = readStandIn(sql)
  try {
    const [fromOff, fromOn] = ['off', 'on'].map((value) => {
      sql.exec(`pragma ${STAND_IN} = ${value}`)
      sql.exec(statement)
      return readStandIn(sql)
    })
    return fromOff === fromOn ? fromOff : undefined
  } catch {
    // No statement, so that it sets nothing.
    return undefined
  } finally {
    sql.exec(`pragma ${STAND_IN} = ${before ? 'on' : 'off'}`)
  }
}

/** From their first keywords on. The body of a trigger is in pieces, none of which can be a pragma. */
function statementsOf(text: string): string[] {
  return (text.match(STATEMENT) ?? [])
    .map(withoutLeadingComments)
    .filter((statement) => statement !== '')
}

function readStandIn(sql: SqlStorage): boolean {
  return sql.exec(`pragma ${STAND_IN}`).one()[STAND_IN] === 1
}

/**
 * Whether the error says that `pragma foreign_keys = …`, sent alone, was ignored. A Durable Object
 * opens a transaction with the first write of an event, and commits it when the event waits for
 * `storage.sync()`: after that the same statement works.
 */
export function isForeignKeysPragmaIgnored(error: unknown, text: string): boolean {
  return (
    error instanceof DurableObjectSqliteError &&
    error.code === 'ERR_PRAGMA_IGNORED' &&
    statementsOf(text).length === 1
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
