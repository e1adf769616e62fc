import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect, type DurableObjectSqliteDialectConfig } from '../src/index.js'
import { RemoteDatabase, type RemoteDatabaseOptions } from '../src/remote/index.js'

/** Options of the object's end of a remote `db`. */
export interface RemoteOptions extends RemoteDatabaseOptions {}

const offered = new Map<string, (storage: DurableObjectStorage) => RemoteDatabase>()

/** Says how an object is to make its `RemoteDatabase`, and returns the key to ask it for that. */
export function offerDatabase(
  dialect: DurableObjectSqliteDialectConfig | undefined,
  options: RemoteOptions | undefined,
): string {
  const key = crypto.randomUUID()
  offered.set(key, (storage) => {
    const db = new Kysely<unknown>({ dialect: new DurableObjectSqliteDialect(storage, dialect) })
    return new RemoteDatabase(db, storage, options)
  })
  return key
}

/** The `RemoteDatabase` that a test has asked for. */
export function makeDatabase(key: string, storage: DurableObjectStorage): RemoteDatabase {
  return offered.get(key)!(storage)
}
