import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { type Dialect, Kysely, type KyselyConfig } from 'kysely'
import { inject } from 'vitest'
import { DurableObjectSqliteDialect, type DurableObjectSqliteDialectConfig } from '../src/index.js'
import { type OpenRemoteDatabase, RemoteDurableObjectDialect } from '../src/remote/index.js'
import { offerDatabase, type RemoteOptions } from './remote-databases.js'
import type { KvObject, TestObject } from './worker.js'

declare global {
  namespace Cloudflare {
    interface Env {
      OBJECT: DurableObjectNamespace<TestObject>
      KV_OBJECT: DurableObjectNamespace<KvObject>
    }
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether the tests of this project run outside the object, through `kysely-durable-sqlite/remote`. */
    remote: boolean
  }
}

/** What the body of a test has at hand, inside the Durable Object. */
export interface Scope<DB> extends Both<DB>, Inside {}

/** What it has in the object and, where `db` is a remote one, outside of it. */
export interface Both<DB> {
  readonly db: Kysely<DB>
  /** What `db` is made from, for what makes a Kysely of its own. */
  readonly dialect: Dialect
  readonly stub: DurableObjectStub<TestObject>
  /** Runs SQL past the dialect, inside the object, and returns its rows. */
  readonly exec: (query: string, ...bindings: unknown[]) => Promise<Row[]>
  /** Runs the function inside the object: at its next turn, where `db` is a remote one. */
  readonly inside: <T>(run: (inside: Inside) => T | Promise<T>) => Promise<T>
}

/** What there is inside the Durable Object alone. */
export interface Inside {
  readonly ctx: DurableObjectState
  readonly storage: DurableObjectStorage
  readonly sql: SqlStorage
}

export type Row = Record<string, SqlStorageValue>

export interface Options {
  readonly dialect?: DurableObjectSqliteDialectConfig
  readonly kysely?: Omit<KyselyConfig, 'dialect'>
  /** What the dialect is made from, instead of the storage. */
  readonly from?: (storage: DurableObjectStorage) => SqlStorage
  /** An object made before, instead of a new one. */
  readonly stub?: DurableObjectStub<TestObject>
  readonly remote?: RemoteOptions
  /** What a remote `db` is opened by, instead of the method of the object. */
  readonly open?: OpenRemoteDatabase
}

/** Whether `db` is a remote one, and the bodies of tests run outside the object. */
export const isRemote = inject('remote')

/** A stub of a new Durable Object, for requests from outside. */
export function newObject(): DurableObjectStub<TestObject> {
  return env.OBJECT.get(env.OBJECT.newUniqueId())
}

/**
 * Runs the body inside a Durable Object of its own, with a `db` on its storage. In the projects that
 * are remote it runs in the Worker of the tests, with a `db` on the storage of that object.
 */
export function inDurableObject<DB, T = void>(
  body: (scope: Scope<DB>) => T | Promise<T>,
  options: Options = {},
): Promise<T> {
  return isRemote ? outside(body, options) : insideObject(body, options)
}

/** Runs the body inside a Durable Object, with a local `db`, in every project. */
export function insideObject<DB, T = void>(
  body: (scope: Scope<DB>) => T | Promise<T>,
  { dialect: config, kysely, from, stub = newObject() }: Options = {},
): Promise<T> {
  return runInDurableObject(stub, (_, ctx) => {
    const { storage } = ctx
    const { sql } = storage
    const dialect = new DurableObjectSqliteDialect(from?.(storage) ?? storage, config)
    return body({
      db: new Kysely<DB>({ ...kysely, dialect }),
      dialect,
      ctx,
      storage,
      sql,
      stub,
      exec: async (query, ...bindings) => sql.exec(query, ...bindings).toArray(),
      inside: async (run) => run({ ctx, storage, sql }),
    })
  })
}

/** Runs the body outside the Durable Object, with a remote `db`, in every project. */
export async function outside<DB, T = void>(
  body: (scope: Scope<DB>) => T | Promise<T>,
  { dialect: config = {}, kysely, stub = newObject(), remote, open }: Options = {},
): Promise<T> {
  const key = offerDatabase(config, remote)
  const { id } = stub
  const { columns, transactionTimeout } = config
  const dialect = new RemoteDurableObjectDialect(open ?? (() => env.OBJECT.get(id).database(key)), {
    ...(columns === undefined ? undefined : { columns }),
    ...(transactionTimeout === undefined ? undefined : { transactionTimeout }),
  })
  const db = new Kysely<DB>({ ...kysely, dialect })
  const inside: Scope<DB>['inside'] = (run) =>
    runInDurableObject(env.OBJECT.get(id), (_, ctx) =>
      run({ ctx, storage: ctx.storage, sql: ctx.storage.sql }),
    )
  const both: Both<DB> = {
    db,
    dialect,
    stub,
    inside,
    exec: (query, ...bindings) =>
      inside(({ sql }) => sql.exec(query, ...bindings).toArray() as Row[]),
  }
  for (const name of ['ctx', 'storage', 'sql']) {
    Object.defineProperty(both, name, {
      get() {
        throw new Error(`Outside the object there is no ${name}: use exec() or inside().`)
      },
    })
  }
  try {
    return await body(both as Scope<DB>)
  } finally {
    await db.destroy()
  }
}
