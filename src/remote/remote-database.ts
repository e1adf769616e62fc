import { RpcTarget } from 'cloudflare:workers'
import type { Kysely, TransactionSettings } from 'kysely'
import { DurableObjectSqliteAdapter } from '../dialect/adapter.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import { toTimeout } from '../platform/timeout.js'
import { executeBatch } from './execute-batch.js'
import type { Command, Outcome, StepStub } from './protocol.js'
import { ReadOnlyDatabase } from './read-only-database.js'
import { RemoteCursor } from './remote-cursor.js'
import { runTransaction } from './run-transaction.js'
import { fromWireQuery, type WireQuery } from './wire-query.js'
import { toWireReply, toWireResult, type WireReply, type WireResult } from './wire-result.js'

/** Options of {@link RemoteDatabase}. */
export interface RemoteDatabaseOptions {
  /**
   * What its queries may do. With `'read-only'`, everything that writes (data, schema or pragmas) is
   * undone and rejects with `ERR_READ_ONLY`. Default: `'read-write'`.
   */
  readonly access?: 'read-only' | 'read-write'
  /**
   * How long a transaction waits for the Worker's next statement, in milliseconds. Then it is rolled
   * back with `ERR_TRANSACTION_TIMEOUT`. While it waits, the object handles nothing else. A positive
   * number. Default: 5,000.
   */
  readonly transactionTimeout?: number
}

const DEFAULT_TRANSACTION_TIMEOUT = 5_000

/**
 * The database of a Durable Object, for Kysely in a Worker or in another object. A method of the object
 * returns it by RPC, and a {@link RemoteDurableObjectDialect} calls that method. Queries run like the
 * object's own, through the dialect of `db`. The plugins of `db` do not apply.
 *
 * The binding is the permission: code that can call the method can send any SQL, and do with the
 * database what the object can. Do not pass it on to clients.
 *
 * The constructor throws `ERR_INVALID_DATABASE` if `db` has another dialect or another storage, or is a
 * transaction. It throws `ERR_INVALID_OPTION` for an option with a wrong value.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObject } from 'cloudflare:workers'
 * import { type Generated, Kysely } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { RemoteDatabase } from 'kysely-durable-sqlite/remote'
 *
 * interface Database {
 *   person: { id: Generated<number>; name: string }
 * }
 *
 * export class Tenant extends DurableObject {
 *   readonly #db = new Kysely<Database>({
 *     dialect: new DurableObjectSqliteDialect(this.ctx.storage),
 *   })
 *
 *   database(): RemoteDatabase {
 *     return new RemoteDatabase(this.#db, this.ctx.storage)
 *   }
 * }
 * ```
 */
export class RemoteDatabase extends RpcTarget {
  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  readonly #db: Kysely<any>
  readonly #readOnly: ReadOnlyDatabase | undefined
  readonly #transactionTimeout: number

  constructor(
    // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
    db: Kysely<any>,
    storage: DurableObjectStorageLike,
    options: RemoteDatabaseOptions = {},
  ) {
    super()
    const { adapter } = db.getExecutor()
    const database = adapter instanceof DurableObjectSqliteAdapter ? adapter.database : undefined
    if (database?.isOn(storage.sql) !== true || db.isTransaction) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_DATABASE',
        'A RemoteDatabase needs a Kysely on the storage that it is given: write ' +
          'new RemoteDatabase(db, ctx.storage), where db has the dialect ' +
          'new DurableObjectSqliteDialect(ctx.storage).',
      )
    }
    this.#db = db.withoutPlugins()
    this.#transactionTimeout = toTimeout(options.transactionTimeout, DEFAULT_TRANSACTION_TIMEOUT)
    const { access = 'read-write' } = options
    if (access !== 'read-only' && access !== 'read-write') {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_OPTION',
        "The access of a RemoteDatabase is 'read-only' or 'read-write', and by default 'read-write'.",
      )
    }
    this.#readOnly =
      access === 'read-only'
        ? new ReadOnlyDatabase(database, storage, this.#transactionTimeout)
        : undefined
  }

  /**
   * Runs one query. For the dialect.
   *
   * @hidden
   */
  async execute(query: WireQuery): Promise<WireReply<WireResult>> {
    return toWireReply(async () => {
      const compiled = fromWireQuery(query)
      const result = this.#readOnly?.execute(compiled) ?? this.#db.executeQuery(compiled)
      return toWireResult(await result)
    })
  }

  /**
   * Runs the queries in one transaction. For the dialect.
   *
   * @hidden
   */
  async batch(queries: readonly WireQuery[]): Promise<WireReply<readonly WireResult[]>> {
    return toWireReply(async () => {
      const compiled = queries.map(fromWireQuery)
      const results = this.#readOnly?.executeBatch(compiled) ?? executeBatch(this.#db, compiled)
      return (await results).map(toWireResult)
    })
  }

  /**
   * Opens a stream, whose errors its first chunk has. For the dialect.
   *
   * @hidden
   */
  stream(query: WireQuery, chunkSize: number): RemoteCursor {
    const compiled = fromWireQuery(query)
    return new RemoteCursor(
      this.#readOnly?.stream(compiled, chunkSize) ??
        this.#db.getExecutor().stream(compiled, chunkSize),
    )
  }

  /**
   * Begins a transaction with its first command and calls `step` for each further one, with the reply
   * to the last, until one ends it. For the dialect.
   *
   * @hidden
   */
  async transaction(
    settings: TransactionSettings,
    first: Command,
    step: StepStub,
  ): Promise<WireReply<Outcome>> {
    // The platform disposes of the stub that came as an argument when this returns.
    const ownStep = step.dup()
    try {
      return await runTransaction(
        {
          db: this.#db,
          settings,
          isReadOnly: this.#readOnly !== undefined,
          timeout: this.#transactionTimeout,
        },
        first,
        ownStep,
      )
    } finally {
      ownStep[Symbol.dispose]()
    }
  }
}
