import { toDurableObjectSqliteError } from '../platform/errors.js'
import { readValues } from '../statement/rows.js'
import type { SqlStorage } from '../platform/storage.js'
import { IS_ROWID_ALIAS, ONE_TABLE, USER_TABLE } from './user-tables.js'
import { foldName } from './sql-tokens.js'
import { readFts5Columns, readTableDefinition, readVirtualTable } from './table-definition.js'

/** A table or a view, as {@link introspectSchema} found it. */
export interface TableSchema {
  /** Its name, as written in `create table` or `create view`. */
  readonly name: string
  /** What it is. A virtual table belongs to a module, such as FTS5. */
  readonly kind: 'table' | 'view' | 'virtual'
  /** Whether the table is STRICT. */
  readonly strict: boolean
  /** Whether the table is WITHOUT ROWID. */
  readonly withoutRowid: boolean
  /**
   * The columns, in the order of `select *`. Empty for a view that cannot be read because a table is
   * gone.
   */
  readonly columns: readonly ColumnInfo[]
  /** The foreign keys, in the order in which they were declared. */
  readonly foreignKeys: readonly ForeignKeyInfo[]
  /** The indexes, sorted by name, including those of constraints. */
  readonly indexes: readonly IndexInfo[]
  /** The expressions of the CHECK constraints, as written. */
  readonly checks: readonly string[]
  /** The names of the triggers, sorted. */
  readonly triggers: readonly string[]
}

/** A column of a table or a view, as {@link introspectSchema} found it. */
export interface ColumnInfo {
  /** As it was written. */
  readonly name: string
  /**
   * The type as declared, such as `'INTEGER'` or `'varchar(20)'`; `''` if there is none. `'TEXT'` for a
   * column that FTS5 indexes.
   */
  readonly declaredType: string
  /** Whether it never holds NULL: it is declared NOT NULL, or is an alias of the rowid. */
  readonly notNull: boolean
  /** The position in the primary key, from 1; 0 for a column that is not part of it. */
  readonly primaryKey: number
  /** The SQL text of the DEFAULT; null if there is none. */
  readonly defaultValue: string | null
  /** How a generated column is stored; null for a column that is not generated. */
  readonly generated: 'virtual' | 'stored' | null
  /** Whether it is an alias of the rowid (`integer primary key`), whose value SQLite supplies. */
  readonly autoIncrement: boolean
  /** The collating sequence, in upper case. `'BINARY'` if none is declared. */
  readonly collation: string
}

/** A foreign key of a table. */
export interface ForeignKeyInfo {
  /** The names of the referring columns. */
  readonly columns: readonly string[]
  /** The name of the table they refer to. */
  readonly referencedTable: string
  /**
   * The names of the columns of that table, in the same order. If the foreign key names none, they are
   * the primary key.
   */
  readonly referencedColumns: readonly string[]
  /** What SQLite does when the key of the referenced row changes. */
  readonly onUpdate: ForeignKeyAction
  /** What SQLite does when the referenced row is deleted. */
  readonly onDelete: ForeignKeyAction
}

/**
 * What a foreign key does when the referenced row changes.
 *
 * https://www.sqlite.org/foreignkeys.html#fk_actions
 */
export type ForeignKeyAction = 'NO ACTION' | 'RESTRICT' | 'SET NULL' | 'SET DEFAULT' | 'CASCADE'

/** An index of a table. */
export interface IndexInfo {
  /** Its name; `sqlite_autoindex_…` if SQLite created it for a constraint. */
  readonly name: string
  /** Whether it is a unique index. */
  readonly unique: boolean
  /** What created it: `create index`, a UNIQUE constraint or a primary key. */
  readonly origin: 'create' | 'unique' | 'primary key'
  /** Whether it has a WHERE clause. */
  readonly partial: boolean
  /** The columns and expressions it is sorted by, in order. */
  readonly columns: readonly IndexColumnInfo[]
  /**
   * The `create index` statement as written, with expressions and the WHERE clause; null for a
   * constraint.
   */
  readonly sql: string | null
}

/** A column of an index, or an expression. */
export interface IndexColumnInfo {
  /** The name of the column; null for an expression. */
  readonly name: string | null
  /** Whether it is sorted in descending order. */
  readonly descending: boolean
  /** The collating sequence, in upper case. */
  readonly collation: string
}

/** One row of {@link schemaQuery}, from its JSON. */
interface TableRow {
  readonly name: string
  readonly kind: TableSchema['kind']
  readonly strict: number
  readonly withoutRowid: number
  readonly sql: string | null
  readonly columns: readonly ColumnRow[]
  readonly foreignKeys: readonly ForeignKeyRow[]
  readonly indexes: readonly IndexRow[]
  readonly triggers: readonly string[]
}

interface ColumnRow {
  readonly name: string
  readonly declaredType: string
  readonly notNull: number
  readonly primaryKey: number
  readonly defaultValue: string | null
  readonly hidden: number
  readonly isRowidAlias: number
}

/** One column of a foreign key. */
interface ForeignKeyRow {
  readonly id: number
  readonly column: string
  readonly referencedTable: string
  readonly referencedColumn: string | null
  readonly onUpdate: ForeignKeyAction
  readonly onDelete: ForeignKeyAction
}

interface IndexRow {
  readonly name: string
  readonly unique: number
  readonly origin: 'c' | 'u' | 'pk'
  readonly partial: number
  readonly sql: string | null
  readonly columns: readonly {
    readonly name: string | null
    readonly descending: number
    readonly collation: string
  }[]
}

/** The query for what {@link TableRow} describes, of the tables in `user_table`. */
function schemaQuery(userTable: string): string {
  return `with ${userTable}
  select json_object(
    'name', t.name,
    'kind', t.type,
    'strict', t.strict,
    'withoutRowid', t.wr,
    'sql', (select sql from sqlite_master where name = t.name and type in ('table', 'view')),
    'columns', (
      select json_group_array(json_object(
        'name', c.name,
        'declaredType', c.type,
        'notNull', c.[notnull],
        'primaryKey', c.pk,
        'defaultValue', c.dflt_value,
        'hidden', c.hidden,
        'isRowidAlias', ${IS_ROWID_ALIAS}
      ) order by c.cid)
      from pragma_table_xinfo(t.source) as c
      where c.hidden <> 1
    ),
    'foreignKeys', (
      select json_group_array(json_object(
        'id', f.id,
        'column', f.[from],
        'referencedTable', f.[table],
        'referencedColumn', f.[to],
        'onUpdate', f.on_update,
        'onDelete', f.on_delete
      ) order by f.id desc, f.seq)
      from pragma_foreign_key_list(t.source) as f
    ),
    'indexes', (
      select json_group_array(json_object(
        'name', i.name,
        'unique', i.[unique],
        'origin', i.origin,
        'partial', i.partial,
        'sql', (select sql from sqlite_master where type = 'index' and name = i.name),
        'columns', (
          select json_group_array(json_object(
            'name', k.name, 'descending', k.desc, 'collation', upper(k.coll)
          ) order by k.seqno)
          from pragma_index_xinfo(i.name) as k
          where k.key = 1
        )
      ) order by i.name)
      from pragma_index_list(t.source) as i
    ),
    'triggers', (
      select json_group_array(name order by name)
      from sqlite_master
      where type = 'trigger' and tbl_name = t.name collate nocase
    )
  ) as json
  from user_table as t
  order by t.name`
}

const ORIGINS = { c: 'create', u: 'unique', pk: 'primary key' } as const

/**
 * Returns the tables, views and virtual tables of a Durable Object, sorted by name, with all that
 * SQLite knows about them. It leaves out the platform's own tables (`_cf_*`, `sqlite_*`,
 * `__miniflare_*`), the shadow tables of virtual tables, and hidden columns.
 *
 * It is one query. If a view cannot be read because a table is gone, there may be one more query for
 * each view and virtual table: SQLite does not say which view it is.
 *
 * ### Examples
 *
 * ```ts
 * import { generateKyselyDbInterface, introspectSchema } from 'kysely-durable-sqlite'
 *
 * const tables = introspectSchema(ctx.storage.sql)
 * const source = generateKyselyDbInterface(tables)
 * ```
 */
export function introspectSchema(sql: SqlStorage): TableSchema[] {
  return readSchema((query, ...bindings) => {
    try {
      return readValues(sql.exec(query, ...bindings)).map(([json]) => json as string)
    } catch (error) {
      throw toDurableObjectSqliteError(error, query)
    }
  })
}

/** Runs a query for rows of one column, `json`, and returns the texts in it. */
export type ReadJson = (query: string, ...bindings: string[]) => string[]

/** {@link introspectSchema} of any SQLite database. */
export function readSchema(readJson: ReadJson): TableSchema[] {
  const rows = readRows(readJson, schemaQuery(USER_TABLE)).map((row) =>
    row.columns.length === 0 ? readTable(readJson, row) : row,
  )
  const primaryKeys = new Map(rows.map((row) => [foldName(row.name), primaryKeyOf(row)]))
  return rows.map((row) => toTableSchema(row, primaryKeys))
}

function readRows(readJson: ReadJson, query: string, ...bindings: string[]): TableRow[] {
  return readJson(query, ...bindings).map((json) => JSON.parse(json) as TableRow)
}

function readTable(readJson: ReadJson, row: TableRow): TableRow {
  try {
    return readRows(readJson, schemaQuery(ONE_TABLE), row.name, row.kind)[0] ?? row
  } catch {
    return row
  }
}

function toTableSchema(
  row: TableRow,
  primaryKeys: ReadonlyMap<string, readonly string[]>,
): TableSchema {
  const { name, kind, triggers } = row
  const { checks, collations } =
    kind === 'table' && row.sql !== null ? readTableDefinition(row.sql) : NO_DEFINITION
  return {
    name,
    kind,
    strict: row.strict === 1,
    withoutRowid: row.withoutRowid === 1,
    columns: row.columns.map((column) => toColumnInfo(column, collations)).map(columnMapping(row)),
    foreignKeys: toForeignKeys(row.foreignKeys, primaryKeys),
    indexes: row.indexes.map(toIndexInfo),
    checks,
    triggers,
  }
}

const NO_DEFINITION = { checks: [], collations: new Map<string, string>() }

function toColumnInfo(
  { name, declaredType, notNull, primaryKey, defaultValue, hidden, isRowidAlias }: ColumnRow,
  collations: ReadonlyMap<string, string>,
): ColumnInfo {
  const autoIncrement = isRowidAlias === 1
  return {
    name,
    declaredType,
    notNull: notNull === 1 || autoIncrement,
    primaryKey,
    defaultValue,
    generated: hidden === 2 ? 'virtual' : hidden === 3 ? 'stored' : null,
    autoIncrement,
    collation: collations.get(foldName(name)) ?? 'BINARY',
  }
}

/** What the module of a virtual table says of its columns. */
function columnMapping({ kind, sql }: TableRow): (column: ColumnInfo, index: number) => ColumnInfo {
  const table = kind === 'virtual' && sql !== null ? readVirtualTable(sql) : undefined
  if (table?.module.startsWith('rtree')) {
    return toRtreeColumn
  }
  if (table?.module === 'fts5') {
    const indexed = readFts5Columns(table)
    return (column) =>
      indexed.has(foldName(column.name)) ? { ...column, declaredType: 'TEXT' } : column
  }
  return (column) => column
}

/**
 * The id and the coordinates of an R-tree have a type, and never read as NULL; auxiliary columns have
 * none. The id is the rowid: https://www.sqlite.org/rtree.html
 */
function toRtreeColumn(column: ColumnInfo, index: number): ColumnInfo {
  return column.declaredType === ''
    ? column
    : { ...column, notNull: true, autoIncrement: index === 0 }
}

function toForeignKeys(
  rows: readonly ForeignKeyRow[],
  primaryKeys: ReadonlyMap<string, readonly string[]>,
): ForeignKeyInfo[] {
  const byId = Map.groupBy(rows, ({ id }) => id)
  return [...byId.values()].map((columns) => {
    const { referencedTable, onUpdate, onDelete } = columns[0]!
    const named = columns.map(({ referencedColumn }) => referencedColumn)
    return {
      columns: columns.map(({ column }) => column),
      referencedTable,
      referencedColumns: named.every((name) => name !== null)
        ? named
        : (primaryKeys.get(foldName(referencedTable)) ?? []),
      onUpdate,
      onDelete,
    }
  })
}

function primaryKeyOf({ columns }: TableRow): string[] {
  return columns
    .filter(({ primaryKey }) => primaryKey > 0)
    .toSorted((a, b) => a.primaryKey - b.primaryKey)
    .map(({ name }) => name)
}

function toIndexInfo(row: IndexRow): IndexInfo {
  return {
    name: row.name,
    unique: row.unique === 1,
    origin: ORIGINS[row.origin],
    partial: row.partial === 1,
    columns: row.columns.map(({ name, descending, collation }) => ({
      name,
      descending: descending === 1,
      collation,
    })),
    sql: row.sql,
  }
}
