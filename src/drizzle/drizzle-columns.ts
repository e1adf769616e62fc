import { Column, getTableColumns, getTableName, is, SQL } from 'drizzle-orm'
import { CasingCache } from 'drizzle-orm/casing'
import { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { Codec, type ColumnOptions, PlainColumn, RefusedValue } from '../columns/codec.js'
import { int64 } from '../columns/codecs.js'
import { Columns } from '../columns/columns.js'
import { TableColumns } from '../columns/table-columns.js'
import type { SqlStorageValue } from '../platform/storage.js'
import type { DurableObjectSqliteColumns } from '../statement/query-columns.js'

/** Options of {@link drizzleColumns}. */
export interface DrizzleColumnsOptions {
  /** The casing that `drizzle()` and drizzle-kit use. Default: the names are as in the schema. */
  readonly casing?: 'snake_case' | 'camelCase'
}

/**
 * Says what the columns of a Drizzle schema mean, for the option `columns` of the dialects. Kysely then
 * stores and reads the same values as Drizzle, with Drizzle's own column mappers. It calls
 * `$defaultFn()` and `$onUpdateFn()` where Drizzle does.
 *
 * Exports of the schema that are not tables, such as relations, are ignored.
 *
 * ### Examples
 *
 * ```ts
 * import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
 * import { Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { type DrizzleDatabase, drizzleColumns } from 'kysely-durable-sqlite/drizzle'
 *
 * const schema = {
 *   task: sqliteTable('task', {
 *     id: integer().primaryKey(),
 *     done: integer({ mode: 'boolean' }).notNull(),
 *   }),
 * }
 *
 * const db = new Kysely<DrizzleDatabase<typeof schema>>({
 *   dialect: new DurableObjectSqliteDialect(ctx.storage, { columns: drizzleColumns(schema) }),
 * })
 * ```
 */
export function drizzleColumns(
  schema: Readonly<Record<string, unknown>>,
  { casing }: DrizzleColumnsOptions = {},
): DurableObjectSqliteColumns {
  const names = new CasingCache(casing)
  return new Columns(
    Object.values(schema).flatMap((table) =>
      is(table, SQLiteTable) ? toTableColumns(table, names) : [],
    ),
  )
}

function toTableColumns(table: SQLiteTable, names: CasingCache): TableColumns {
  const columns = Object.values(getTableColumns(table)).map(
    (column) => [names.getColumnCasing(column), column] as const,
  )
  return new TableColumns(
    getTableName(table),
    Object.fromEntries(columns.map(([name, column]) => [name, toColumn(column)])),
    columns.map(([name]) => name),
  )
}

const DIGITS = /^-?\d+$/

function toColumn(column: Column): Codec<never> | PlainColumn<unknown> {
  if (column.columnType === 'SQLiteNumericBigInt') {
    // Drizzle reads it as a number, which is rounded.
    const { encode, decode } = int64()
    return new Codec(
      {
        kind: column.columnType,
        isInteger: true,
        encode,
        decode: (value) =>
          typeof value === 'string' && DIGITS.test(value) ? decode(value) : BigInt(Number(value)),
      },
      optionsOf(column) as ColumnOptions<bigint>,
    ) as unknown as Codec<never>
  }
  const { prototype } = Column
  return column.mapFromDriverValue === prototype.mapFromDriverValue &&
    column.mapToDriverValue === prototype.mapToDriverValue
    ? new PlainColumn(optionsOf(column))
    : (new Codec<unknown>(
        {
          kind: kindOf(column),
          // What SQLite cannot store is refused when it is bound.
          encode: (value) => column.mapToDriverValue(value) as string,
          decode: (value) => decode(column, value),
        },
        optionsOf(column),
      ) as unknown as Codec<never>)
}

function decode(column: Column, value: Exclude<SqlStorageValue, null>): unknown {
  const decoded = column.mapFromDriverValue(value)
  if (decoded instanceof Date && Number.isNaN(decoded.getTime())) {
    throw new RefusedValue('what is no date', `Drizzle reads it as an invalid Date`)
  }
  return decoded
}

/** Columns of one mode are read alike, those of a custom type by its functions. */
function kindOf(column: Column): unknown {
  if ('mapFrom' in column) {
    return column.mapFrom ?? column.columnType
  }
  return 'mode' in column ? `${column.columnType} ${String(column.mode)}` : column.columnType
}

/** https://github.com/drizzle-team/drizzle-orm/blob/0.45.4/drizzle-orm/src/sqlite-core/dialect.ts */
function optionsOf({ default: value, defaultFn, onUpdateFn }: Column): ColumnOptions<unknown> {
  const byDefault =
    defaultFn ??
    (value === undefined || value === null || is(value, SQL) ? undefined : () => value) ??
    (value === undefined ? onUpdateFn : undefined)
  return {
    ...(byDefault && { default: valueOf(byDefault) }),
    ...(onUpdateFn && { onUpdate: valueOf(onUpdateFn) }),
  }
}

function valueOf(call: () => unknown): () => unknown {
  return () => {
    const value = call()
    if (is(value, SQL)) {
      throw new TypeError(
        'A default function of the Drizzle schema returned SQL, which Kysely cannot run. Return ' +
          'the value, or use default(sql`…`), which the table has itself.',
      )
    }
    return value
  }
}
