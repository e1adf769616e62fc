import type { SqlStorage } from '../platform/storage.js'
import { quote, read } from './raw-sql.js'

/**
 * What SQLite cannot compile of the views and triggers: messages by what they are about. `explain`
 * compiles a statement, with the triggers that it would fire, and runs nothing.
 */
export function schemaErrors(sql: SqlStorage): Map<string, string> {
  const errors = new Map<string, string>()
  const explain = (subject: string, statement: () => string): void => {
    try {
      read(sql, `explain ${statement()}`)
    } catch (error) {
      errors.set(subject, error instanceof Error ? error.message : String(error))
    }
  }
  const views = read<[string]>(sql, `select name from sqlite_schema where type = 'view'`)
  for (const [view] of views) {
    explain(`view ${view}`, () => `select * from ${quote(view)}`)
  }
  const triggered = read<[string]>(
    sql,
    `select distinct tbl_name from sqlite_schema where type = 'trigger'`,
  )
  for (const [name] of triggered) {
    const table = quote(name)
    explain(`an insert trigger of ${name}`, () => `insert into ${table} default values`)
    explain(`an update trigger of ${name}`, () => `update ${table} set ${allColumns(sql, name)}`)
    explain(`a delete trigger of ${name}`, () => `delete from ${table}`)
  }
  return errors
}

/** All of them, because a trigger may be `update of` any. */
function allColumns(sql: SqlStorage, table: string): string {
  const columns = read<[string]>(
    sql,
    'select name from pragma_table_xinfo(?) where hidden = 0',
    table,
  )
  return columns.map(([column]) => `${quote(column)} = ${quote(column)}`).join(', ')
}
