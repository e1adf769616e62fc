/**
 * Kysely for the SQLite database of a Cloudflare Durable Object.
 *
 * @module kysely-durable-sqlite
 */
export { DurableObjectSqliteAdapter } from './dialect/adapter.js'
export type { ColumnMapping } from './codegen/column-mapping.js'
export {
  generateKyselyDbInterface,
  type GenerateKyselyDbInterfaceOptions,
} from './codegen/generate.js'
export {
  introspectSchema,
  type ColumnInfo,
  type ForeignKeyAction,
  type ForeignKeyInfo,
  type IndexColumnInfo,
  type IndexInfo,
  type TableSchema,
} from './schema/introspect-schema.js'
export type { DurableObjectSqliteQueryEvent } from './statement/query-event.js'
export {
  DurableObjectSqliteDialect,
  type DurableObjectSqliteDialectConfig,
} from './dialect/dialect.js'
export { DurableObjectSqliteError, type DurableObjectSqliteErrorCode } from './platform/errors.js'
export { DurableObjectSqliteIntrospector } from './dialect/introspector.js'
export { DurableObjectSqliteQueryCompiler } from './compiler/query-compiler.js'
export type { DurableObjectSqliteColumns } from './statement/query-columns.js'
export type {
  DurableObjectStorageLike,
  SqlStorage,
  SqlStorageCursor,
  SqlStorageValue,
} from './platform/storage.js'
export type { ParameterValues, PreparedQuery } from './sync/prepared-query.js'
export type { QueryParameters } from './sync/query-parameter.js'
export type { SyncResultPlugin } from './sync/result-plugins.js'
export { SyncExecutor } from './sync/sync-executor.js'
export type { FirstOutput, NoResultErrorFactory, SyncQuery } from './sync/sync-query.js'
export { type NotPromise, withDoTransaction } from './transaction/with-do-transaction.js'
export { withoutForeignKeys } from './transaction/without-foreign-keys.js'
