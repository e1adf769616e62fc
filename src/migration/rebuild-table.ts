import type { Compilable } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { quote, read } from './raw-sql.js'
import { schemaErrors } from './schema-errors.js'

/** Options of {@link rebuildTable}: the new table, and what becomes of the old columns. */
export interface RebuildTableOptions {
  /** The `create table` statement of the new table, with the name of the old one. */
  readonly create: string | Compilable
  /**
   * For each new column by name, the SQL expression over the old table that fills it. Other columns are
   * copied from the old ones of the same name. A new column with neither gets its DEFAULT. Default:
   * none.
   */
  readonly copy?: Readonly<Record<string, string>>
  /** The old columns to drop, with their values. Default: none. */
  readonly drop?: readonly string[]
}

/**
 * Rebuilds a table, for what `alter table` cannot do: change a type, a constraint or the primary key,
 * or make the table STRICT. It keeps the rows and their rowids, the rows that refer to them, the
 * indexes, triggers and views, and the counter of AUTOINCREMENT. Call it in a migration with
 * `foreignKeys: 'off'`.
 *
 * Throws `ERR_TABLE_REBUILD`, which undoes the migration, if
 *
 * - foreign keys are on,
 * - there is no such table,
 * - an old column is neither copied nor dropped, or
 * - a view or trigger that worked before refers to something that is gone.
 *
 * The migration itself checks the foreign keys before it commits.
 *
 * https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes
 *
 * ### Examples
 *
 * ```ts
 * import { type Migration, migrateToLatest, rebuildTable } from 'kysely-durable-sqlite/migration'
 *
 * const strictPerson: Migration = {
 *   foreignKeys: 'off',
 *   async up(db, sql) {
 *     rebuildTable(sql, 'person', {
 *       create: 'create table person (id integer primary key, name text not null) strict',
 *       copy: { name: 'trim(name)' },
 *       drop: ['email'],
 *     })
 *   },
 * }
 *
 * await migrateToLatest(ctx.storage, { '0001_strict_person': strictPerson })
 * ```
 */
export function rebuildTable(
  sql: SqlStorage,
  table: string,
  { create, copy = {}, drop = [] }: RebuildTableOptions,
): void {
  if (read<[number]>(sql, 'pragma foreign_keys')[0]?.[0] === 1) {
    throw new DurableObjectSqliteError(
      'ERR_TABLE_REBUILD',
      `Table ${table} cannot be rebuilt with foreign keys on: dropping the old one would delete the ` +
        "rows that refer to it. Set foreignKeys: 'off' on the migration.",
    )
  }
  if (read<[string]>(sql, TABLE_KIND, table)[0]?.[0] !== 'table') {
    throw new DurableObjectSqliteError(
      'ERR_TABLE_REBUILD',
      `There is no table ${table} to rebuild. Views are dropped and created again, and so are virtual ` +
        'tables.',
    )
  }
  const oldColumns = readColumns(sql, table)
  const definitions = read<[string]>(sql, DEFINITIONS, table)
  const counter = readCounter(sql, table)
  const errorsBefore = schemaErrors(sql)
  const old = `__old_${table}`

  withLegacyAlterTable(sql, () => {
    sql.exec(`alter table ${quote(table)} rename to ${quote(old)}`)
  })
  sql.exec(typeof create === 'string' ? create : create.compile().sql)
  const newColumns = readColumns(sql, table)
  if (newColumns.length === 0) {
    throw new DurableObjectSqliteError(
      'ERR_TABLE_REBUILD',
      `create did not make a table ${table}. Write the create table statement under that name.`,
    )
  }
  const assignments = assignColumns(table, { oldColumns, newColumns, copy, drop })
  copyRows(sql, { from: old, to: table, assignments })
  sql.exec(`drop table ${quote(old)}`)
  for (const [definition] of definitions) {
    sql.exec(definition)
  }
  if (counter !== undefined) {
    restoreCounter(sql, table, counter)
  }
  for (const [name, message] of schemaErrors(sql)) {
    if (errorsBefore.get(name) !== message) {
      throw new DurableObjectSqliteError(
        'ERR_TABLE_REBUILD',
        `After table ${table} was rebuilt, ${name} no longer works: ${message}. Drop it before ` +
          'the rebuild and create it again afterwards.',
      )
    }
  }
}

const TABLE_KIND = `select type from pragma_table_list(?) where schema = 'main'`
const COLUMNS = 'select name, hidden from pragma_table_xinfo(?) where hidden <> 1'
/** Indexes first: triggers may be as slow as they are without them. */
const DEFINITIONS = `
  select sql from sqlite_schema
  where tbl_name = ? collate nocase and type in ('index', 'trigger') and sql is not null
  order by type, rowid
`

interface Column {
  readonly name: string
  readonly isGenerated: boolean
}

/** The expression over the old table for a column of the new one. */
type Assignment = readonly [column: string, expression: string]

function readColumns(sql: SqlStorage, table: string): Column[] {
  return read<[string, number]>(sql, COLUMNS, table).map(([name, hidden]) => ({
    name,
    isGenerated: hidden > 0,
  }))
}

interface AssignColumnsOptions extends Required<Pick<RebuildTableOptions, 'copy' | 'drop'>> {
  readonly oldColumns: readonly Column[]
  readonly newColumns: readonly Column[]
}

function assignColumns(
  table: string,
  { oldColumns, newColumns, copy, drop }: AssignColumnsOptions,
): Assignment[] {
  const oldNames = new Map(oldColumns.map(({ name }) => [name.toLowerCase(), name]))
  const dropped = new Set(drop.map((name) => name.toLowerCase()))
  const expressions = new Map(
    Object.entries(copy).map(([name, expression]) => [name.toLowerCase(), expression]),
  )
  const stored = newColumns.filter(({ isGenerated }) => !isGenerated)
  const storedNames = new Set(stored.map(({ name }) => name.toLowerCase()))

  const lost = oldColumns
    .filter(({ isGenerated }) => !isGenerated)
    .map(({ name }) => name)
    .filter((name) => !storedNames.has(name.toLowerCase()) && !dropped.has(name.toLowerCase()))
  if (lost.length > 0) {
    throw new DurableObjectSqliteError(
      'ERR_TABLE_REBUILD',
      `The values of ${lost.join(', ')} of table ${table} would be lost. Name in drop what is to be ` +
        'lost, and in copy where else they go.',
    )
  }
  const unknown = [
    ...Object.keys(copy).filter((name) => !storedNames.has(name.toLowerCase())),
    ...drop.filter((name) => !oldNames.has(name.toLowerCase())),
  ]
  if (unknown.length > 0) {
    throw new DurableObjectSqliteError(
      'ERR_TABLE_REBUILD',
      `Table ${table} has no column ${unknown.join(', ')}. copy names columns of the new table that ` +
        'are not generated, drop names columns of the old one.',
    )
  }
  return stored.flatMap(({ name }): Assignment[] => {
    const key = name.toLowerCase()
    const oldName = dropped.has(key) ? undefined : oldNames.get(key)
    const expression = expressions.get(key) ?? (oldName && quote(oldName))
    return expression === undefined ? [] : [[quote(name), expression]]
  })
}

interface CopyRowsOptions {
  readonly from: string
  readonly to: string
  readonly assignments: readonly Assignment[]
}

/**
 * In the order of the rowids, and with them. Of `rowid` and a column that stands for it SQLite takes the
 * value of the latter, which comes last.
 */
function copyRows(sql: SqlStorage, { from, to, assignments }: CopyRowsOptions): void {
  const isOrdered = hasRowid(sql, from)
  const keepsRowid = isOrdered && hasRowid(sql, to)
  const all = keepsRowid ? [['rowid', 'rowid'] as const, ...assignments] : assignments
  if (all.length > 0) {
    sql.exec(
      `insert into ${quote(to)} (${all.map(([column]) => column).join(', ')}) ` +
        `select ${all.map(([, expression]) => expression).join(', ')} ` +
        `from ${quote(from)} as ${quote(to)}${isOrdered ? ' order by rowid' : ''}`,
    )
  }
}

/** Whether `rowid` is the rowid, and no column of that name. */
function hasRowid(sql: SqlStorage, table: string): boolean {
  return (
    read(sql, 'select 1 from pragma_table_list(?) where wr = 0', table).length > 0 &&
    !readColumns(sql, table).some(({ name }) => name.toLowerCase() === 'rowid')
  )
}

/**
 * Renames without touching what refers to the table, in foreign keys, triggers and views.
 *
 * https://www.sqlite.org/pragma.html#pragma_legacy_alter_table
 */
function withLegacyAlterTable(sql: SqlStorage, rename: () => void): void {
  const before = read<[number]>(sql, 'pragma legacy_alter_table')[0]?.[0] ?? 0
  sql.exec('pragma legacy_alter_table = on')
  try {
    rename()
  } finally {
    sql.exec(`pragma legacy_alter_table = ${before}`)
  }
}

/** The counter of AUTOINCREMENT as text, in which it is exact. */
function readCounter(sql: SqlStorage, table: string): string | undefined {
  if (read(sql, `select 1 from sqlite_schema where name = 'sqlite_sequence'`).length === 0) {
    return undefined
  }
  return read<[string]>(
    sql,
    'select cast(seq as text) from sqlite_sequence where name = ? collate nocase',
    table,
  )[0]?.[0]
}

/** Under the name as SQLite wrote it, if it has: a table without rows has no counter yet. */
function restoreCounter(sql: SqlStorage, table: string, counter: string): void {
  sql.exec('delete from sqlite_sequence where name = ? collate nocase', table)
  sql.exec(
    `insert into sqlite_sequence (name, seq)
      select name, cast(? as integer) from sqlite_schema
      where type = 'table' and name = ? collate nocase`,
    counter,
    table,
  )
}
