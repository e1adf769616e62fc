import type {
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
} from 'kysely'
import { DurableObjectSqliteQueryCompiler } from '../compiler/query-compiler.js'
import { DurableObjectSqliteAdapter } from '../dialect/adapter.js'
import { DurableObjectSqliteIntrospector } from '../dialect/introspector.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { toTimeout } from '../platform/timeout.js'
import type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
import { RemoteDriver } from './remote-driver.js'
import { type OpenRemoteDatabase, RemoteSession } from './remote-session.js'

/** Options of {@link RemoteDurableObjectDialect}. */
export interface RemoteDurableObjectDialectConfig {
  /**
   * What columns mean in JavaScript: `columnTypes()` of `kysely-durable-sqlite/columns`, or
   * `drizzleColumns()` of `kysely-durable-sqlite/drizzle`. Default: values are as SQLite has them.
   */
  readonly columns?: DurableObjectSqliteColumns
  /**
   * How long a query or a transaction waits for another transaction of the same Kysely instance to end,
   * in milliseconds. Then it rejects with `ERR_TRANSACTION_TIMEOUT`. A positive number; `Infinity` for
   * no limit. Default: 10,000.
   */
  readonly transactionTimeout?: number
}

const DEFAULT_TRANSACTION_TIMEOUT = 10_000

/**
 * Kysely's dialect, in a Worker or in another object, for the database of a Durable Object. Make it
 * from a function that calls the method that returns a {@link RemoteDatabase}. Get the stub of the
 * object inside the function, since a broken stub stays broken.
 *
 * A query is one round trip. The first query also opens a session, in the same round trip, and later
 * queries share it. `db.destroy()` closes the session, and so does the end of the Worker's request. A
 * transaction of n statements takes n + 1 round trips. It begins with its first statement. Until it
 * ends, the object handles nothing else.
 *
 * If the object is reset or cannot be reached, queries reject with `ERR_CONNECTION_LOST`. Two things
 * are first sent again, once: a select of the query builder outside a transaction, and the first
 * statement of a transaction. A write outside a transaction never is.
 *
 * The constructor throws `ERR_INVALID_DATABASE` for anything but a function, and `ERR_INVALID_OPTION`
 * if `transactionTimeout` is not a positive number.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObject } from 'cloudflare:workers'
 * import { type Generated, Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { RemoteDatabase, RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'
 *
 * interface Database {
 *   person: { id: Generated<number>; name: string }
 * }
 *
 * interface Env {
 *   TENANT: DurableObjectNamespace<Tenant>
 * }
 *
 * export class Tenant extends DurableObject {
 *   database(): RemoteDatabase {
 *     const db = new Kysely({ dialect: new DurableObjectSqliteDialect(this.ctx.storage) })
 *     return new RemoteDatabase(db, this.ctx.storage)
 *   }
 * }
 *
 * export default {
 *   async fetch(request, env) {
 *     const db = new Kysely<Database>({
 *       dialect: new RemoteDurableObjectDialect(() => env.TENANT.getByName('acme').database()),
 *     })
 *     return Response.json(await db.selectFrom('person').selectAll().execute())
 *   },
 * } satisfies ExportedHandler<Env>
 * ```
 */
export class RemoteDurableObjectDialect implements Dialect {
  readonly #open: OpenRemoteDatabase
  readonly #columns: DurableObjectSqliteColumns | undefined
  readonly #transactionTimeout: number

  constructor(open: OpenRemoteDatabase, config: RemoteDurableObjectDialectConfig = {}) {
    if (typeof open !== 'function' || 'execute' in open) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_DATABASE',
        'Pass a function that calls the object: ' +
          'new RemoteDurableObjectDialect(() => env.TENANT.getByName(name).database()).',
      )
    }
    this.#open = open
    this.#columns = config.columns
    this.#transactionTimeout = toTimeout(config.transactionTimeout, DEFAULT_TRANSACTION_TIMEOUT)
  }

  createDriver(): Driver {
    return new RemoteDriver(new RemoteSession(this.#open), this.#transactionTimeout)
  }

  createQueryCompiler(): QueryCompiler {
    return new DurableObjectSqliteQueryCompiler(undefined, this.#columns)
  }

  createAdapter(): DialectAdapter {
    return new DurableObjectSqliteAdapter()
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new DurableObjectSqliteIntrospector(db)
  }

  /**
   * Returns the dialect itself, so that a deep copy of a configuration still refers to this one object.
   */
  clone(): this {
    return this
  }
}
