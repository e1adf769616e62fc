import { DurableObjectSqliteError } from '../platform/errors.js'
import { is, tokenize, type Token } from '../schema/sql-tokens.js'

/**
 * The pragmas whose argument is what to read, and no setting.
 *
 * https://www.sqlite.org/pragma.html
 */
const READING_PRAGMAS = new Set([
  'foreign_key_check',
  'foreign_key_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'quick_check',
  'table_info',
  'table_list',
  'table_xinfo',
])

/** The pragmas that write without an argument. */
const WRITING_PRAGMAS = new Set(['incremental_vacuum', 'optimize', 'wal_checkpoint'])

const MAY_NEED_TOKENS = /;|pragma/i

/**
 * Refuses, with `ERR_READ_ONLY`, the two kinds of text of which SQLite cannot tell in time that they
 * write: a pragma with a setting, which takes effect as it is compiled and is not undone by a rollback,
 * and several statements in one text, of which the cursor counts the rows of the last alone.
 */
export function assertReadOnlyText(sql: string): void {
  if (!MAY_NEED_TOKENS.test(sql)) {
    return
  }
  const tokens = tokenize(sql)
  while (is(tokens.at(-1), ';')) {
    tokens.pop()
  }
  if (tokens.some((token) => is(token, ';')) || setsPragma(tokens)) {
    throw readOnlyError(sql)
  }
}

function setsPragma(tokens: readonly Token[]): boolean {
  const pragma = tokens.findIndex((token) => is(token, 'pragma'))
  // Behind `explain` it takes effect, too; anywhere else the word is a name.
  if (pragma === -1 || tokens.slice(0, pragma).some(isNoExplain)) {
    return false
  }
  const [name, ...argument] = tokens.slice(is(tokens[pragma + 2], '.') ? pragma + 3 : pragma + 1)
  return (
    name !== undefined &&
    (argument.length > 0 ? !READING_PRAGMAS.has(name.value) : WRITING_PRAGMAS.has(name.value))
  )
}

function isNoExplain(token: Token): boolean {
  return !['explain', 'query', 'plan'].includes(token.value)
}

/** What a write is rejected with where the access is read only. */
export function readOnlyError(sql: string | undefined): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_READ_ONLY',
    'A write was sent to a read only RemoteDatabase, and nothing of it was kept. Read with one ' +
      "statement at a time, or give the RemoteDatabase the access 'read-write'.",
    { sql },
  )
}

/** The error to reject with for one of a read only transaction. */
export function toReadOnlyError(error: unknown): unknown {
  return error instanceof DurableObjectSqliteError && error.code === 'ERR_READ_ONLY_TRANSACTION'
    ? readOnlyError(error.sql)
    : error
}
