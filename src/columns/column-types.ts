import { CamelCasePlugin, type CamelCasePluginOptions, type SelectType } from 'kysely'
import type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
import type { Codec, PlainColumn } from './codec.js'
import { Columns } from './columns.js'
import { TableColumns } from './table-columns.js'

/** What SQLite gives by itself. */
type Native = number | string | Uint8Array

/** The type of a value of the column that is not NULL. */
type ValueOf<C> = Exclude<SelectType<C>, null>

/** The names of the columns whose type SQLite cannot give. */
type KeysOfCodecs<Table> = {
  [K in keyof Table]: [ValueOf<Table[K]>] extends [Native] ? never : K
}[keyof Table]

/** What may be said of the columns of a table, and has to be of those that SQLite has no type for. */
export type ColumnsOfTable<Table> = {
  readonly [K in KeysOfCodecs<Table>]: Codec<ValueOf<Table[K]>>
} & {
  readonly [K in Exclude<keyof Table, KeysOfCodecs<Table>>]?:
    | Codec<ValueOf<Table[K]>>
    | PlainColumn<SelectType<Table[K]>>
}

/** The names of the tables that have columns which need a codec. */
type KeysOfTables<DB> = {
  [K in keyof DB]: [KeysOfCodecs<DB[K]>] extends [never] ? never : K
}[keyof DB]

/** What {@link columnTypes} takes. */
export type ColumnsOfTables<DB> = {
  readonly [K in KeysOfTables<DB>]: ColumnsOfTable<DB[K]>
} & {
  readonly [K in Exclude<keyof DB, KeysOfTables<DB>>]?: ColumnsOfTable<DB[K]>
}

/** Options of {@link columnTypes}. */
export interface ColumnTypesOptions {
  /**
   * Whether the names are the camelCase ones of the interface, for a Kysely with `CamelCasePlugin`; or
   * the options that the plugin has. Default: they are those of the database.
   */
  readonly camelCase?: boolean | CamelCasePluginOptions
}

/**
 * Says what the columns of the tables mean in JavaScript, for the option `columns` of the dialect. Each
 * column whose type in `DB` is none that SQLite has (`number`, `string`, `Uint8Array`, `null`) needs a
 * codec of that type; the others may have one. A view is listed as a table is.
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
