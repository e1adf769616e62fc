import {
  type ConnectionProvider,
  DefaultQueryExecutor,
  Kysely,
  type QueryExecutor,
  Transaction,
} from 'kysely'
import { DurableObjectSqliteAdapter } from '../dialect/adapter.js'
import { DurableObjectSqliteConnection } from '../dialect/connection.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectSqliteDatabase } from '../statement/database.js'
import type { DurableObjectSqliteQueryEvent } from '../statement/query-event.js'

/**
 * A Kysely like `db`, on its connections and with its plugins, log and life, of whose queries the
 * observer is told as well. All that is made from it is observed too: transactions, connections,
 * `withPlugin()`, `withoutPlugins()`, a `SyncExecutor`.
 */
export function meteredKysely<DB>(
  db: Kysely<DB>,
  observer: (event: DurableObjectSqliteQueryEvent) => void,
): Kysely<DB> {
  const executor = db.getExecutor()
  const { adapter, plugins } = executor
  if (
    !(adapter instanceof DurableObjectSqliteAdapter) ||
    adapter.database === undefined ||
    adapter.dialect === undefined
  ) {
    throw otherDialect()
  }
  const { dialect } = adapter
  const database = adapter.database.withObserver(observer)
  // Begins and ends transactions on the connections that it is given, which are those of `db`.
  const driver = dialect.createDriver()
  driver.destroy = () => db.destroy()
  const props = {
    config: { dialect },
    dialect,
    driver,
    executor: new DefaultQueryExecutor(
      { compileQuery: (node, queryId) => executor.compileQuery(node, queryId) },
      adapter.onDatabase(database),
      connectionsOn(database, executor),
      [...plugins],
    ),
  }
  return db.isTransaction ? new Transaction<DB>(props) : new Kysely<DB>(props)
}

/** The connections of an executor, each on the database while it is in use, and no longer. */
function connectionsOn(
  database: DurableObjectSqliteDatabase,
  executor: QueryExecutor,
): ConnectionProvider {
  return {
    provideConnection: (consumer, ...options) =>
      executor.provideConnection(
        async (connection) => {
          if (!(connection instanceof DurableObjectSqliteConnection)) {
            throw otherDialect()
          }
          const before = connection.exchangeDatabase(database)
          try {
            return await consumer(connection)
          } finally {
            connection.exchangeDatabase(before)
          }
        },
        ...options,
      ),
  }
}

function otherDialect(): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_INVALID_DATABASE',
    'A meter needs a Kysely with the dialect new DurableObjectSqliteDialect(ctx.storage).',
  )
}
