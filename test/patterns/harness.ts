import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

export { env }

/** A stub of a new object of the pattern. */
export function newObject<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<T>,
): DurableObjectStub<T> {
  return namespace.get(namespace.newUniqueId())
}

/** Runs the usual version of a pattern on the storage of a new object, in which nothing is yet. */
export function inEmptyObject<T>(body: (storage: DurableObjectStorage) => Promise<T>): Promise<T> {
  return runInDurableObject(newObject(env.DRAFT), (_, { storage }) => body(storage))
}

/** All tables and indexes, the platform's included, but for that of local development. */
export function tables({ sql }: DurableObjectStorage): unknown[] {
  return sql
    .exec("select name from sqlite_master where name not glob '__miniflare_*' order by name")
    .toArray()
    .map(({ name }) => name)
}
