import type { CompiledQuery, Kysely, QueryResult } from 'kysely'
import { TransactionalConnection } from '../dialect/transactional-connection.js'
import { DurableObjectSqliteError } from '../platform/errors.js'

/** Runs the queries in one transaction or, on a transaction, as a part of it that is undone alone. */
export function executeBatch(
  // oxlint-disable-next-line typescript/no-explicit-any -- a Kysely of any tables
  db: Kysely<any>,
  queries: readonly CompiledQuery[],
): Promise<readonly QueryResult<unknown>[]> {
  return db.getExecutor().provideConnection((connection) => {
    if (!(connection instanceof TransactionalConnection)) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_DATABASE',
        'A batch needs a Kysely of this library: one with the dialect RemoteDurableObjectDialect or ' +
          'DurableObjectSqliteDialect.',
      )
    }
    return connection.executeBatch(queries)
  })
}
