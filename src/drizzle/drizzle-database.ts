import type { Kyselify } from 'drizzle-orm/kysely'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

/** `createdAt` as `created_at`. */
type SnakeCase<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? Tail extends Uncapitalize<Tail>
    ? `${Lowercase<Head>}${SnakeCase<Tail>}`
    : `${Lowercase<Head>}_${SnakeCase<Uncapitalize<Tail>>}`
  : Name

/** The name of a column in the database, which differs from the schema's where Drizzle cases it. */
type Cased<Name, Casing> = Casing extends 'snake_case' ? SnakeCase<Name & string> : Name

/** A table of a Drizzle schema as a table of Kysely: one member of {@link DrizzleDatabase}. */
export type DrizzleTable<T extends SQLiteTable, Casing = undefined> = {
  [K in keyof Kyselify<T> as Cased<K, Casing> & string]: Kyselify<T>[K]
}

/**
 * The tables of a Drizzle schema as the `Database` of Kysely. If the schema is used with a casing, name
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
