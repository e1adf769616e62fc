import {
  CompiledQuery,
  type DatabaseIntrospector,
  type DatabaseMetadataOptions,
  type Kysely,
  type SchemaMetadata,
  type TableMetadata,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { IS_ROWID_ALIAS, KYSELY_TABLES, ONE_TABLE, USER_TABLE } from '../schema/user-tables.js'

interface ColumnRow {
  readonly tableName: string
  readonly tableType: string
  /** Null, as all that follows, in the one row of a table whose columns SQLite has not counted. */
  readonly columnName: string | null
  readonly dataType: string
  readonly isNullable: number
  readonly isRowidAlias: number
  readonly hasDefaultValue: number
}

const SELECT_COLUMNS = `
  select t.name as tableName, t.type as tableType, c.name as columnName,
    c.type as dataType, c.[notnull] = 0 as isNullable,
    ${IS_ROWID_ALIAS} as isRowidAlias,
    c.dflt_value is not null as hasDefaultValue
  from user_table as t left join pragma_table_xinfo(t.source) as c
  where c.hidden is not 1
  order by t.name, c.cid`

/**
 * Reads the tables and views of a Durable Object for `db.introspection`. It leaves out the platform's
 * own (`_cf_*`, `sqlite_*`, `__miniflare_*`).
 *
 * ### Examples
 *
 * ```ts
 * const tables = await db.introspection.getTables()
 * const names = tables.map(({ name }) => name)
 * ```
 */
export class DurableObjectSqliteIntrospector implements DatabaseIntrospector {
  readonly #db: Kysely<unknown>

  constructor(db: Kysely<unknown>) {
    this.#db = db
  }

  /** Returns an empty array: SQLite has no schemas in Kysely's sense. */
  async getSchemas(): Promise<SchemaMetadata[]> {
    return []
  }

  /**
   * Returns the tables and views with their columns, sorted by name. It leaves out views that cannot be
   * read because a table is gone and, by default, Kysely's own migration tables.
   */
  async getTables(
    options: DatabaseMetadataOptions = { withInternalKyselyTables: false },
  ): Promise<TableMetadata[]> {
    const tables = new Map<string, TableMetadata>()
    for (const row of await this.#readColumns(USER_TABLE)) {
      if (!options.withInternalKyselyTables && KYSELY_TABLES.has(row.tableName)) {
        continue
      }
      for (const column of row.columnName === null ? await this.#readTable(row) : [row]) {
        addColumn(tables, column)
      }
    }
    return [...tables.values()]
  }

  /**
   * Returns what `getTables()` does, for Kysely 0.28.
   *
   * @hidden
   */
  async getMetadata(options?: DatabaseMetadataOptions): Promise<{ tables: TableMetadata[] }> {
    return { tables: await this.getTables(options) }
  }

  async #readTable({ tableName, tableType }: ColumnRow): Promise<readonly ColumnRow[]> {
    try {
      return await this.#readColumns(ONE_TABLE, tableName, tableType)
    } catch (error) {
      if (error instanceof DurableObjectSqliteError && error.code.startsWith('SQLITE_')) {
        return []
      }
      throw error
    }
  }

  async #readColumns(tables: string, ...parameters: string[]): Promise<readonly ColumnRow[]> {
    const query = CompiledQuery.raw(`with ${tables}${SELECT_COLUMNS}`, parameters)
    const { rows } = await this.#db.executeQuery<ColumnRow>(query)
    return rows
  }
}

/** SQLite has none, and Kysely's own introspector has the key. */
const NO_COMMENT: object = { comment: undefined }

function addColumn(tables: Map<string, TableMetadata>, row: ColumnRow): void {
  let table = tables.get(row.tableName)
  if (table === undefined) {
    table = { name: row.tableName, isView: row.tableType === 'view', isForeign: false, columns: [] }
    tables.set(row.tableName, table)
  }
  table.columns.push({
    name: row.columnName ?? '',
    dataType: row.dataType,
    isNullable: row.isNullable === 1 && row.isRowidAlias === 0,
    isAutoIncrementing: row.isRowidAlias === 1,
    hasDefaultValue: row.hasDefaultValue === 1,
    ...NO_COMMENT,
  })
}
