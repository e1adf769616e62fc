import type { TransactionSettings } from 'kysely'
import { BEGIN, TransactionalDriver } from '../dialect/transactional-driver.js'
import { RemoteConnection } from './remote-connection.js'
import { RemoteGate } from './remote-gate.js'
import type { RemoteSession } from './remote-session.js'
import { RemoteTransaction } from './remote-transaction.js'

/** Hands out connections, all on one session, and begins transactions on them. */
export class RemoteDriver extends TransactionalDriver<RemoteConnection> {
  readonly #session: RemoteSession
  readonly #gate: RemoteGate

  constructor(session: RemoteSession, transactionTimeout: number) {
    super()
    this.#session = session
    this.#gate = new RemoteGate(transactionTimeout)
  }

  override async beginTransaction(
    connection: RemoteConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    await connection.begin(BEGIN, async () => {
      const transaction = new RemoteTransaction(this.#session, settings, () =>
        this.#gate.release(transaction),
      )
      await this.#gate.claim(transaction)
      return transaction
    })
  }

  override async destroy(): Promise<void> {
    this.#session.dispose()
  }

  protected override createConnection(): RemoteConnection {
    return new RemoteConnection(this.#session, this.#gate)
  }
}
