import {
  CompiledQuery,
  createQueryId,
  IdentifierNode,
  RawNode,
  type Driver,
  type QueryCompiler,
  type TransactionSettings,
} from 'kysely'
import type { OpenTransaction, TransactionalConnection } from './transactional-connection.js'

const COMMIT = CompiledQuery.raw('commit')
const ROLLBACK = CompiledQuery.raw('rollback')

/** What a connection calls the beginning of a transaction. */
export const BEGIN: CompiledQuery = CompiledQuery.raw('begin')

type Connection = TransactionalConnection<OpenTransaction>

/** Hands out connections, and ends the transactions that are begun on them. */
export abstract class TransactionalDriver<C extends Connection> implements Driver {
  readonly #idle: C[] = []

  abstract beginTransaction(connection: C, settings: TransactionSettings): Promise<void>

  abstract destroy(): Promise<void>

  protected abstract createConnection(): C

  async init(): Promise<void> {}

  async acquireConnection(): Promise<C> {
    return this.#idle.pop() ?? this.createConnection()
  }

  async commitTransaction(connection: C): Promise<void> {
    await connection.commit(COMMIT)
  }

  async rollbackTransaction(connection: C): Promise<void> {
    await connection.rollback(ROLLBACK)
  }

  async savepoint(
    connection: C,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(toQuery('savepoint', name, compileQuery), (transaction) =>
      transaction.savepoint(name),
    )
  }

  async rollbackToSavepoint(
    connection: C,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(toQuery('rollback to', name, compileQuery), (transaction) =>
      transaction.rollbackToSavepoint(name),
    )
  }

  async releaseSavepoint(
    connection: C,
    name: string,
    compileQuery: QueryCompiler['compileQuery'],
  ): Promise<void> {
    await connection.inTransaction(toQuery('release', name, compileQuery), (transaction) =>
      transaction.releaseSavepoint(name),
    )
  }

  async releaseConnection(connection: C): Promise<void> {
    if (connection.transaction !== undefined) {
      await connection.reset()
    }
    if (!connection.retire()) {
      this.#idle.push(connection)
    }
  }
}

function toQuery(
  command: string,
  name: string,
  compileQuery: QueryCompiler['compileQuery'],
): CompiledQuery {
  const node = RawNode.createWithChildren([
    RawNode.createWithSql(`${command} `),
    IdentifierNode.create(name),
  ])
  return compileQuery(node, createQueryId())
}
