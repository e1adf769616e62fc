import type { TransactionSettings } from 'kysely'
import { DurableObjectSqliteConnection, noTransactions } from './connection.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { Transaction } from '../transaction/transaction.js'
import { TransactionGate } from '../transaction/transaction-gate.js'
import { BEGIN, TransactionalDriver } from './transactional-driver.js'

export interface DurableObjectSqliteDriverConfig {
  readonly database: DurableObjectSqliteDatabase
  readonly sql: SqlStorage
  /** Undefined where transactions are not to be had. */
  readonly storage: DurableObjectStorageLike | undefined
  /** Milliseconds. */
  readonly transactionTimeout: number
}

/** Hands out connections to the database of this object, and begins transactions on them. */
export class DurableObjectSqliteDriver extends TransactionalDriver<DurableObjectSqliteConnection> {
  readonly #config: DurableObjectSqliteDriverConfig
  readonly #gate: TransactionGate

  constructor(config: DurableObjectSqliteDriverConfig) {
    super()
    this.#config = Object.freeze({ ...config })
    this.#gate = TransactionGate.of(config.sql)
  }

  /** Every isolation level is accepted: with one writer at a time it is always serializable. */
  override async beginTransaction(
    connection: DurableObjectSqliteConnection,
    { accessMode }: TransactionSettings,
  ): Promise<void> {
    const { storage = noTransactions(), transactionTimeout } = this.#config
    await connection.begin(BEGIN, () =>
      Transaction.begin({
        storage,
        gate: this.#gate,
        readOnly: accessMode === 'read only',
        timeout: transactionTimeout,
      }),
    )
  }

  override async destroy(): Promise<void> {}

  protected override createConnection(): DurableObjectSqliteConnection {
    const { database, storage, transactionTimeout } = this.#config
    return new DurableObjectSqliteConnection(database, this.#gate, transactionTimeout, storage)
  }
}
