import type { InferInsertModel, InferSelectModel } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { ColumnType } from 'kysely'

type SelectModel<T extends SQLiteTable> = InferSelectModel<T, { dbColumnNames: true }>
type InsertModel<T extends SQLiteTable> = InferInsertModel<T, { dbColumnNames: true }>

/** The name of a column in the database, which differs from the schema's where Drizzle cases it. */
type Cased<Name extends string, Casing> = Casing extends 'snake_case' ? SnakeCase<Name> : Name

/** `createdAt` as `created_at`. */
type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? Tail extends Uncapitalize<Tail>
    ? `${Lowercase<Head>}${SnakeCase<Tail>}`
    : `${Lowercase<Head>}_${SnakeCase<Uncapitalize<Tail>>}`
  : Name

/** A table of a Drizzle schema as a table of Kysely's `Database`. */
export type DrizzleTable<T extends SQLiteTable, Casing = undefined> = {
  [K in keyof SelectModel<T> & string as Cased<K, Casing>]: ColumnType<
    SelectModel<T>[K],
    K extends keyof InsertModel<T> ? InsertModel<T>[K] : never,
    K extends keyof InsertModel<T> ? InsertModel<T>[K] : never
  >
}

/**
 * The tables of a Drizzle schema as Kysely's `Database`. Where the schema is used with a casing, name
 * it: `DrizzleDatabase<typeof schema, 'snake_case'>`.
 *
 * ### Examples
 *
 * ```ts
 * import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
 * import type { DrizzleDatabase } from 'kysely-durable-sqlite/drizzle'
 *
 * const schema = { task: sqliteTable('task', { id: integer().primaryKey() }) }
 *
 * type Database = DrizzleDatabase<typeof schema>
 * ```
 */
export type DrizzleDatabase<Schema, Casing = undefined> = {
  [
    K in keyof Schema as Schema[K] extends SQLiteTable ? Schema[K]['_']['name'] : never
  ]: Schema[K] extends SQLiteTable ? DrizzleTable<Schema[K], Casing> : never
}
