import { CompiledQuery, type DatabaseConnection, type Kysely, type QueryResult } from 'kysely'
import { DurableObjectSqliteConnection } from '../dialect/connection.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { withIndex } from './with-index.js'

const SAVEPOINT = 'kysely_durable_sqlite_batch'
const BEGIN = CompiledQuery.raw(`savepoint ${SAVEPOINT}`)
const UNDO = CompiledQuery.raw(`rollback to ${SAVEPOINT}`)
const END = CompiledQuery.raw(`release ${SAVEPOINT}`)

/** Runs a batch where the database is: in a transaction or, in one, in a savepoint. */
export function executeLocalBatch(
  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  db: Kysely<any>,
  connection: DatabaseConnection,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  if (!(connection instanceof DurableObjectSqliteConnection)) {
    throw new DurableObjectSqliteError(
      'ERR_INVALID_DATABASE',
      'A batch needs a Kysely of this library: one with the dialect RemoteDurableObjectDialect or ' +
        'DurableObjectSqliteDialect.',
    )
  }
  return connection.transaction !== undefined
    ? executeInSavepoint(connection, queries)
    : db
        .transaction()
        .execute((trx) =>
          trx.getExecutor().provideConnection((inner) => executeInOrder(inner, queries)),
        )
}

async function executeInSavepoint(
  connection: DurableObjectSqliteConnection,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  await connection.inTransaction(BEGIN, (transaction) => transaction.savepoint(SAVEPOINT))
  try {
    return await executeInOrder(connection, queries)
  } catch (error) {
    await connection
      .inTransaction(UNDO, (transaction) => transaction.rollbackToSavepoint(SAVEPOINT))
      // A transaction that failed as a whole takes no more, and is rolled back.
      .catch(() => {})
    throw error
  } finally {
    await connection
      .inTransaction(END, (transaction) => transaction.releaseSavepoint(SAVEPOINT))
      .catch(() => {})
  }
}

async function executeInOrder(
  connection: DatabaseConnection,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  const results: QueryResult<unknown>[] = []
  for (const query of queries) {
    try {
      results.push(await connection.executeQuery(query))
    } catch (error) {
      throw withIndex(error, results.length)
    }
  }
  return results
}
