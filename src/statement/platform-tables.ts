import { withoutLeadingComments } from './leading-comments.js'

const READ = /^(?:select|with(?:\s+recursive)?)\b/i

const SCHEMA_TABLE = /\bsqlite_(?:master|schema)\b/i

/** A verb that writes, or the end of a statement that is not the last. */
const MORE_THAN_READ = /\b(?:insert|update|delete|replace)\b|;\s*\S/i

const USER_SCHEMA = `sqlite_master as materialized (
  select * from main.sqlite_schema
  where lower(tbl_name) not glob '_cf_*' and tbl_name not glob '__miniflare_*'
), sqlite_schema as (select * from sqlite_master)`

/**
 * The same statement on the tables of the user alone, for one that the platform refused, because it
 * asks for the columns or indexes of every table in `sqlite_master`: schema tools do, and the platform
 * lists its own tables there and describes them to nobody. Undefined for any other statement.
 *
 * https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c++ (isAllowedName)
 */
export function withoutPlatformTables(statement: string): string | undefined {
  const sql = withoutLeadingComments(statement)
  const [first] = READ.exec(sql) ?? []
  if (
    first === undefined ||
    !SCHEMA_TABLE.test(sql) ||
    MORE_THAN_READ.test(sql) ||
    sql.includes(USER_SCHEMA)
  ) {
    return undefined
  }
  return first.toLowerCase() === 'select'
    ? `with ${USER_SCHEMA} ${sql}`
    : `${first} ${USER_SCHEMA},${sql.slice(first.length)}`
}
