import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'
import type { Database } from './schema.ts'
import type { RemoteObject } from './workload.ts'

export function kyselyRemote(object: RemoteObject): Kysely<Database> {
  return new Kysely({ dialect: new RemoteDurableObjectDialect(() => object.remote()) })
}

/** As RedwoodSDK's dialect does it: SQL by a method of the object, after a call that makes it ready. */
export function kyselyByTwoCalls(object: RemoteObject): Kysely<Database> {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      await object.initialize()
      return { rows: (await object.rows(sql, ...parameters)) as unknown[] as R[] }
    },
    // oxlint-disable-next-line require-yield -- not measured
    async *streamQuery() {
      throw new Error('It has no streams.')
    },
  }
  const nothing = async (): Promise<void> => {}
  return new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        beginTransaction: nothing,
        commitTransaction: nothing,
        rollbackTransaction: nothing,
        releaseConnection: nothing,
        destroy: nothing,
      }),
    },
  })
}
