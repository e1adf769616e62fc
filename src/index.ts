/**
 * Kysely for the SQLite database of a Cloudflare Durable Object.
 *
 * @module
 */
export { DurableObjectSqliteAdapter } from './adapter.js'
export type { DurableObjectSqliteQueryEvent } from './database.js'
export { DurableObjectSqliteDialect, type DurableObjectSqliteDialectConfig } from './dialect.js'
export { DurableObjectSqliteError, type DurableObjectSqliteErrorCode } from './errors.js'
export { DurableObjectSqliteIntrospector } from './introspector.js'
export { DurableObjectSqliteQueryCompiler } from './query-compiler.js'
export type {
  DurableObjectStorageLike,
  SqlStorage,
  SqlStorageCursor,
  SqlStorageValue,
} from './storage.js'
export { PreparedQuery, type ParameterValues } from './sync/prepared-query.js'
export type { QueryParameters } from './sync/query-parameter.js'
export type { SyncResultPlugin } from './sync/result-plugins.js'
export { SyncExecutor } from './sync/sync-executor.js'
export type { FirstOutput, NoResultErrorFactory, SyncQuery } from './sync/sync-query.js'
export { withDoTransaction } from './with-do-transaction.js'
export { withoutForeignKeys } from './without-foreign-keys.js'
