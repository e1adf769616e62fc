/**
 * Kysely in a Worker, or in another Durable Object, for the database of a Durable Object.
 *
 * @module
 */
export { batch, type BatchOutput, type BatchOutputs, type BatchQuery } from './batch.js'
export { RemoteDatabase, type RemoteDatabaseOptions } from './remote-database.js'
export {
  RemoteDurableObjectDialect,
  type RemoteDurableObjectDialectConfig,
} from './remote-dialect.js'
export type { OpenRemoteDatabase, RemoteDatabaseLike } from './remote-session.js'
