import {
  sql,
  type DatabaseIntrospector,
  type DatabaseMetadataOptions,
  type Kysely,
  type SchemaMetadata,
  type TableMetadata,
} from 'kysely'

/** Kysely's own tables: https://github.com/kysely-org/kysely/blob/master/src/migration/migrator.ts */
const KYSELY_TABLES = new Set(['kysely_migration', 'kysely_migration_lock'])

interface ColumnRow {
  readonly tableName: string
  readonly isView: number
  readonly columnName: string
  readonly dataType: string
  readonly isNullable: number
  readonly isRowidAlias: number
  readonly hasDefaultValue: number
}

/**
 * Reads the tables and views of a Durable Object.
 *
 * The platform keeps tables of its own in the same database as soon as the object has used
 * `storage.put()`, an alarm or local development, and refuses to describe them. The names are
 * compared with `glob`, in which `_` stands for itself.
 */
export class DurableObjectSqliteIntrospector implements DatabaseIntrospector {
  readonly #db: Kysely<unknown>

  constructor(db: Kysely<unknown>) {
    this.#db = db
  }

  /** SQLite has no schemas in Kysely's sense. */
  async getSchemas(): Promise<SchemaMetadata[]> {
    return []
  }

  async getTables(
    options: DatabaseMetadataOptions = { withInternalKyselyTables: false },
  ): Promise<TableMetadata[]> {
    const { rows } = await this.#readColumns()
    const tables = new Map<string, TableMetadata>()
    for (const row of rows) {
      if (!options.withInternalKyselyTables && KYSELY_TABLES.has(row.tableName)) {
        continue
      }
      let table = tables.get(row.tableName)
      if (table === undefined) {
        table = { name: row.tableName, isView: row.isView === 1, isForeign: false, columns: [] }
        tables.set(row.tableName, table)
      }
      table.columns.push({
        name: row.columnName,
        dataType: row.dataType,
        isNullable: row.isNullable === 1,
        isAutoIncrementing: row.isRowidAlias === 1,
        hasDefaultValue: row.hasDefaultValue === 1,
      })
    }
    return [...tables.values()]
  }

  /** Kysely 0.28 asks for it, where it is deprecated already. */
  async getMetadata(options?: DatabaseMetadataOptions): Promise<{ tables: TableMetadata[] }> {
    return { tables: await this.getTables(options) }
  }

  /**
   * A view whose table is gone has no columns (`ncol` is 0), and asking for them is an error. A table
   * has a rowid alias if its primary key is one INTEGER column that needs no index of its own:
   * https://www.sqlite.org/lang_createtable.html#rowid
   */
  #readColumns(): Promise<{ rows: ColumnRow[] }> {
    return sql<ColumnRow>`
      with t as materialized (
        select name, type, wr
        from pragma_table_list
        where schema = 'main' and ncol > 0 and type <> 'shadow'
          and lower(name) not glob '_cf_*'
          and lower(name) not glob 'sqlite_*'
          and name not glob '__miniflare_*'
      ), k as materialized (
        select t.name, max(c.name) as column_name
        from t join pragma_table_info(t.name) as c
        where c.pk > 0
        group by t.name
        having count(*) = 1 and max(c.type) = 'INTEGER' collate nocase and max(t.wr) = 0
          and not exists (select 1 from pragma_index_list(t.name) as i where i.origin = 'pk')
      )
      select t.name as tableName, t.type = 'view' as isView, c.name as columnName,
        c.type as dataType, c.[notnull] = 0 and k.name is null as isNullable,
        k.name is not null as isRowidAlias,
        c.dflt_value is not null as hasDefaultValue
      from t join pragma_table_xinfo(t.name) as c
        left join k on k.name = t.name and k.column_name = c.name
      where c.hidden <> 1
      order by t.name, c.cid
    `.execute(this.#db)
  }
}
