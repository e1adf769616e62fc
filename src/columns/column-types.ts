import { CamelCasePlugin, type CamelCasePluginOptions, type SelectType } from 'kysely'
import type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
import type { Codec, PlainColumn } from './codec.js'
import { Columns } from './columns.js'
import { TableColumns } from './table-columns.js'

/** What SQLite gives by itself. */
type Native = number | string | Uint8Array

/** The type of a value of the column that is not NULL. */
type ValueOf<C> = Exclude<SelectType<C>, null>

/**
 * What an object that leaves it out has by the name: TypeScript compares that with what an optional
 * member may be, and there are columns and tables with the name `constructor`.
 */
// oxlint-disable-next-line typescript/no-wrapper-object-types -- its members are meant
type Inherited<K> = K extends keyof Object ? Object[K] : never

/** The names of the columns whose type SQLite cannot give. */
type KeysOfCodecs<Table> = {
  [K in keyof Table]: [ValueOf<Table[K]>] extends [Native] ? never : K
}[keyof Table]

/**
 * The columns of a table for {@link columnTypes}: a codec for each column whose type SQLite does not
 * have. Any other column may have a codec or a `column()`.
 */
export type ColumnsOfTable<Table> = {
  readonly [K in KeysOfCodecs<Table>]: Codec<ValueOf<Table[K]>>
} & {
  readonly [K in Exclude<keyof Table, KeysOfCodecs<Table>>]?:
    | Codec<ValueOf<Table[K]>>
    | PlainColumn<SelectType<Table[K]>>
    | Inherited<K>
}

/** The names of the tables that have columns which need a codec. */
type KeysOfTables<DB> = {
  [K in keyof DB]: [KeysOfCodecs<DB[K]>] extends [never] ? never : K
}[keyof DB]

/** The tables for {@link columnTypes}. Only tables with a column that needs a codec are required. */
export type ColumnsOfTables<DB> = {
  readonly [K in KeysOfTables<DB>]: ColumnsOfTable<DB[K]>
} & {
  readonly [K in Exclude<keyof DB, KeysOfTables<DB>>]?: ColumnsOfTable<DB[K]> | Inherited<K>
}

/** Options of {@link columnTypes}. */
export interface ColumnTypesOptions {
  /**
   * Whether tables and columns are named in camelCase, for a Kysely instance with `CamelCasePlugin`.
   * True, or the options of the plugin. Default: false, for the names of the database.
   */
  readonly camelCase?: boolean | CamelCasePluginOptions
}

/**
 * Says what the columns of the tables mean in JavaScript, for the option `columns` of the dialects.
 * SQLite has the types `number`, `string`, `Uint8Array` and `null`. A column of any other type in `DB`
 * needs a codec of exactly that type, or the call does not compile. Other columns may have one. List a
 * view as you list a table.
 *
 * If a codec cannot write a value, the query rejects with `ERR_UNSUPPORTED_PARAMETER` before anything
 * is written. If it cannot read a stored value, the query rejects with `ERR_COLUMN_VALUE`. Both errors
 * name the table and the column.
 *
 * ### Examples
 *
 * ```ts
 * import { type Generated, Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { boolean, columnTypes, date } from 'kysely-durable-sqlite/columns'
 *
 * interface Database {
 *   person: { id: Generated<number>; active: boolean; created_at: Generated<Date> }
 * }
 *
 * const columns = columnTypes<Database>({
 *   person: {
 *     active: boolean(),
 *     created_at: date('milliseconds', { default: () => new Date() }),
 *   },
 * })
 *
 * const db = new Kysely<Database>({
 *   dialect: new DurableObjectSqliteDialect(ctx.storage, { columns }),
 * })
 * ```
 */
export function columnTypes<DB>(
  tables: ColumnsOfTables<DB>,
  { camelCase = false }: ColumnTypesOptions = {},
): DurableObjectSqliteColumns {
  const nameOf = camelCase === false ? (name: string) => name : toSnakeCase(camelCase)
  return new Columns(
    Object.entries<Readonly<Record<string, Codec<never> | PlainColumn<unknown>>>>(tables).map(
      ([table, columns]) =>
        new TableColumns(
          nameOf(table),
          Object.fromEntries(
            Object.entries(columns).map(([name, column]) => [nameOf(name), column]),
          ),
        ),
    ),
  )
}

function toSnakeCase(options: true | CamelCasePluginOptions): (name: string) => string {
  const plugin = new CamelCasePlugin(options === true ? {} : options)
  // Protected, and how the plugin itself maps the names of a query.
  return (name) => plugin['snakeCase'](name)
}
