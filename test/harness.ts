import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Kysely, type KyselyConfig } from 'kysely'
import { DurableObjectSqliteDialect, type DurableObjectSqliteDialectConfig } from '../src/index.js'
import type { KvObject, TestObject } from './worker.js'

declare global {
  namespace Cloudflare {
    interface Env {
      OBJECT: DurableObjectNamespace<TestObject>
      KV_OBJECT: DurableObjectNamespace<KvObject>
    }
  }
}

/** What the body of a test has at hand, inside the Durable Object. */
export interface Scope<DB> {
  readonly db: Kysely<DB>
  readonly ctx: DurableObjectState
  readonly storage: DurableObjectStorage
  readonly sql: SqlStorage
  readonly stub: DurableObjectStub<TestObject>
}

export interface Options {
  readonly dialect?: DurableObjectSqliteDialectConfig
  readonly kysely?: Omit<KyselyConfig, 'dialect'>
  /** What the dialect is made from, instead of the storage. */
  readonly from?: (storage: DurableObjectStorage) => SqlStorage
  /** An object made before, instead of a new one. */
  readonly stub?: DurableObjectStub<TestObject>
}

/** A stub of a new Durable Object, for requests from outside. */
export function newObject(): DurableObjectStub<TestObject> {
  return env.OBJECT.get(env.OBJECT.newUniqueId())
}

/** Runs the body inside a Durable Object of its own, with a `db` on its storage. */
export function inDurableObject<DB, T = void>(
  body: (scope: Scope<DB>) => T | Promise<T>,
  { dialect, kysely, from, stub = newObject() }: Options = {},
): Promise<T> {
  return runInDurableObject(stub, (_, ctx) => {
    const { storage } = ctx
    const db = new Kysely<DB>({
      ...kysely,
      dialect: new DurableObjectSqliteDialect(from?.(storage) ?? storage, dialect),
    })
    return body({ db, ctx, storage, sql: storage.sql, stub })
  })
}
