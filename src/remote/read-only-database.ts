import type { CompiledQuery, QueryResult } from 'kysely'
import { mapWithIndex } from '../platform/map-with-index.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { TransactionGate } from '../transaction/transaction-gate.js'
import { assertReadOnlyText, readOnlyError } from './read-only.js'

/**
 * Runs queries each of which is undone, and rejected with `ERR_READ_ONLY`, if it writes. That is found
 * out as in a read only transaction, but in `transactionSync()`, which holds up nobody.
 */
export class ReadOnlyDatabase {
  readonly #database: DurableObjectSqliteDatabase
  readonly #storage: DurableObjectStorageLike
  readonly #gate: TransactionGate
  /** Milliseconds. */
  readonly #timeout: number

  constructor(
    database: DurableObjectSqliteDatabase,
    storage: DurableObjectStorageLike,
    timeout: number,
  ) {
    this.#database = database
    this.#storage = storage
    this.#gate = TransactionGate.of(storage.sql)
    this.#timeout = timeout
  }

  async execute(query: CompiledQuery): Promise<QueryResult<unknown>> {
    assertReadOnlyText(query.sql)
    await this.#waitForTurn()
    return this.#storage.transactionSync(() => this.#database.execute(query, refuser(query)))
  }

  async executeBatch(queries: readonly CompiledQuery[]): Promise<readonly QueryResult<unknown>[]> {
    mapWithIndex(queries, ({ sql }) => assertReadOnlyText(sql))
    await this.#waitForTurn()
    return this.#storage.transactionSync(() =>
      mapWithIndex(queries, (query) => this.#database.execute(query, refuser(query))),
    )
  }

  /** SQLite has made all changes of a statement before its first row. */
  async *stream(
    query: CompiledQuery,
    chunkSize: number,
  ): AsyncGenerator<QueryResult<unknown>, void> {
    assertReadOnlyText(query.sql)
    const chunks = this.#database.stream(query, chunkSize, refuser(query))
    try {
      await this.#waitForTurn()
      let chunk = this.#storage.transactionSync(() => chunks.next())
      while (!chunk.done) {
        yield chunk.value
        await this.#waitForTurn()
        chunk = chunks.next()
      }
    } finally {
      chunks.return()
    }
  }

  async #waitForTurn(): Promise<void> {
    while (this.#gate.isClosed) {
      await this.#gate.wait(this.#timeout)
    }
  }
}

function refuser({ sql }: CompiledQuery): () => never {
  return () => {
    throw readOnlyError(sql)
  }
}
