import { DurableObjectSqliteError } from '../../src/index.js'

/** Everything that a migration can change: the schema and all rows. */
export function dump({ sql }: DurableObjectStorage): unknown {
  const schema = sql
    .exec<{ type: string; name: string; sql: string | null }>(
      `select type, name, sql from sqlite_schema
       where name not glob '_cf_*' and name not glob '__miniflare_*' order by name`,
    )
    .toArray()
  const rows = schema
    .filter(({ type }) => type === 'table')
    .map(({ name }) => [name, sql.exec(`select * from \`${name}\``).toArray()])
  return { schema, rows: Object.fromEntries(rows) }
}

/** Of the tables that a user made, and the journal. */
export function tableNames({ sql }: DurableObjectStorage): string[] {
  return sql
    .exec<{ name: string }>(
      `select name from sqlite_schema where type = 'table' and name not glob '_cf_*'
       and name not glob '__miniflare_*' and name not glob 'sqlite_*' order by name`,
    )
    .toArray()
    .map(({ name }) => name)
}

/** The code of the error with which the promise rejects. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof DurableObjectSqliteError) {
      return error.code
    }
    throw error
  }
  return 'no error'
}
