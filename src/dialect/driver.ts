import {
  CompiledQuery,
  createQueryId,
  IdentifierNode,
  RawNode,
  type Driver,
  type QueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { DurableObjectSqliteConnection } from './connection.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { TransactionGate } from '../transaction/transaction-gate.js'

const BEGIN = CompiledQuery.raw('begin')
const COMMIT = CompiledQuery.raw('commit')
const ROLLBACK = CompiledQuery.raw('rollback')

export interface DurableObjectSqliteDriverConfig {
  readonly database: DurableObjectSqliteDatabase
  readonly sql: SqlStorage
  /** Undefined where transactions are not to be had. */
  readonly storage: DurableObjectStorageLike | undefined
  /** Milliseconds. */
  readonly transactionTimeout: number
}

/** Hands out connections, and begins and ends transactions on them. */
export class DurableObjectSqliteDriver implements Driver {
  readonly #config: DurableObjectSqliteDriverConfig
  readonly #gate: TransactionGate
  readonly #idle: DurableObjectSqliteConnection[] = []

  constructor(config: DurableObjectSqliteDriverConfig) {
    this.#config = Object.freeze({ ...config })
    this.#gate = TransactionGate.of(config.sql)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DurableObjectSqliteConnection> {
    const { database, storage, transactionTimeout } = this.#config
    return (
      this.#idle.pop() ??
      new DurableObjectSqliteConnection(database, this.#gate, transactionTimeout, storage)
    )
  }

  /** Every isolation level is accepted: with one writer at a time it is always serializable. */
  async beginTransaction(
    connection: DurableObjectSqliteConnection,
    { accessMode }: TransactionSettings,
  ): Promise<void> {
    const { storage, transactionTimeout } = this.#config
    if (storage === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_TRANSACTION_UNSUPPORTED',
        'Transactions need the storage of the Durable Object: write ' +
          'new DurableObjectSqliteDialect(ctx.storage) instead of ' +
          'new DurableObjectSqliteDialect(ctx.storage.sql).',
      )
    }
    await connection.begin(BEGIN, {
      storage,
      readOnly: accessMode === 'read only',
      timeout: transactionTimeout,
    })
  }

  async commitTransaction(connection: DurableObjectSqliteConnection): Promise<void> {
    await connection.commit(COMMIT)
  }

  async rollbackTransaction(connection: DurableObjectSqliteConnection): Promise<void> {
    await connection.rollback(ROLLBACK)
  }

  async savepoint(
    connection: DurableObjectSqliteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(
      compileQuery(savepointNode('savepoint', name), createQueryId()),
      (transaction) => transaction.savepoint(name),
    )
  }

  async rollbackToSavepoint(
    connection: DurableObjectSqliteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(
      compileQuery(savepointNode('rollback to', name), createQueryId()),
      (transaction) => transaction.rollbackToSavepoint(name),
    )
  }

  async releaseSavepoint(
    connection: DurableObjectSqliteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(
      compileQuery(savepointNode('release', name), createQueryId()),
      (transaction) => transaction.releaseSavepoint(name),
    )
  }

  async releaseConnection(connection: DurableObjectSqliteConnection): Promise<void> {
    if (connection.transaction !== undefined) {
      await connection.reset()
    }
    if (!connection.retire()) {
      this.#idle.push(connection)
    }
  }

  async destroy(): Promise<void> {}
}

function savepointNode(command: string, name: string): RawNode {
  return RawNode.createWithChildren([
    RawNode.createWithSql(`${command} `),
    IdentifierNode.create(name),
  ])
}
