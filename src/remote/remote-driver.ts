import {
  CompiledQuery,
  createQueryId,
  IdentifierNode,
  RawNode,
  type Driver,
  type QueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { RemoteConnection } from './remote-connection.js'
import { RemoteGate } from './remote-gate.js'
import type { RemoteSession } from './remote-session.js'

const BEGIN = CompiledQuery.raw('begin')
const COMMIT = CompiledQuery.raw('commit')
const ROLLBACK = CompiledQuery.raw('rollback')

/** Hands out connections, all on one session, and begins and ends transactions on them. */
export class RemoteDriver implements Driver {
  readonly #session: RemoteSession
  readonly #gate: RemoteGate
  readonly #idle: RemoteConnection[] = []

  constructor(session: RemoteSession, transactionTimeout: number) {
    this.#session = session
    this.#gate = new RemoteGate(transactionTimeout)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<RemoteConnection> {
    return this.#idle.pop() ?? new RemoteConnection(this.#session, this.#gate)
  }

  async beginTransaction(
    connection: RemoteConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    await connection.begin(BEGIN, settings)
  }

  async commitTransaction(connection: RemoteConnection): Promise<void> {
    await connection.commit(COMMIT)
  }

  async rollbackTransaction(connection: RemoteConnection): Promise<void> {
    await connection.rollback(ROLLBACK)
  }

  async savepoint(
    connection: RemoteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await control(connection, 'savepoint', name, compileQuery)
  }

  async rollbackToSavepoint(
    connection: RemoteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await control(connection, 'rollback to', name, compileQuery)
  }

  async releaseSavepoint(
    connection: RemoteConnection,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await control(connection, 'release', name, compileQuery)
  }

  async releaseConnection(connection: RemoteConnection): Promise<void> {
    if (connection.isInTransaction) {
      await connection.reset()
    }
    if (!connection.retire()) {
      this.#idle.push(connection)
    }
  }

  async destroy(): Promise<void> {
    this.#session.dispose()
  }
}

async function control(
  connection: RemoteConnection,
  command: 'savepoint' | 'rollback to' | 'release',
  name: string,
  compileQuery: QueryCompiler['compileQuery'],
): Promise<void> {
  const node = RawNode.createWithChildren([
    RawNode.createWithSql(`${command} `),
    IdentifierNode.create(name),
  ])
  await connection.inTransaction(compileQuery(node, createQueryId()), (transaction) =>
    transaction.control(command, name),
  )
}
