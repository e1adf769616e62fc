/**
 * What columns mean in JavaScript, read from a Drizzle schema.
 *
 * @module
 */
export { drizzleColumns, type DrizzleColumnsOptions } from './drizzle-columns.js'
export type { DrizzleDatabase, DrizzleTable } from './drizzle-database.js'
export type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
