/**
 * Kysely for the SQLite database of a Cloudflare Durable Object.
 *
 * @module
 */
export { DurableObjectSqliteAdapter } from './adapter.js'
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
} from './codegen/introspect-schema.js'
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
export { withDoTransaction } from './with-do-transaction.js'
export { withoutForeignKeys } from './without-foreign-keys.js'
