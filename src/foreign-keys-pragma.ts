import { DurableObjectSqliteError } from './errors.js'
import type { SqlStorage } from './storage.js'

const PRAGMA =
  /^(?:\s|;|--[^\n]*\n|\/\*[^]*?\*\/)*pragma\s+(?:main\s*\.\s*)?foreign_keys\s*(?:=\s*|\(\s*)['"]?(\w+)/i

/**
 * Throws `ERR_PRAGMA_IGNORED` if the statement was `pragma foreign_keys = …` and the setting is
 * another one now: SQLite says nothing when it ignores that pragma inside a transaction.
 *
 * https://www.sqlite.org/pragma.html#pragma_foreign_keys
 */
export function assertForeignKeysPragmaTookEffect(sql: SqlStorage, statement: string): void {
  const wanted = foreignKeysSetting(statement)
  if (wanted === undefined) {
    return
  }
  const isOn = sql.exec('pragma foreign_keys').one()['foreign_keys'] === 1
  if (isOn !== wanted) {
    throw new DurableObjectSqliteError(
      'ERR_PRAGMA_IGNORED',
      `pragma foreign_keys = ${wanted ? 'on' : 'off'} had no effect: SQLite ignores it inside a transaction, and a ` +
        'Durable Object opens one with the first write of an event. Send it outside ' +
        'db.transaction(), after await ctx.storage.sync().',
    )
  }
}

/** What the statement sets `pragma foreign_keys` to, if it is one that sets it. */
export function foreignKeysSetting(statement: string): boolean | undefined {
  const value = PRAGMA.exec(statement)?.[1]
  return value === undefined ? undefined : isTrue(value)
}

/** https://www.sqlite.org/pragma.html: 1, yes, true and on. */
function isTrue(value: string): boolean {
  return /^(?:on|yes|true)$/i.test(value) || Number.parseInt(value, 10) > 0
}
