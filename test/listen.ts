import type { DurableObjectStorageLike } from '../src/index.js'

/** The storage, and the texts of the statements that it is sent. */
export function listen(storage: DurableObjectStorage): {
  readonly storage: DurableObjectStorageLike
  readonly statements: string[]
} {
  const statements: string[] = []
  return {
    statements,
    storage: {
      sql: {
        exec(query, ...bindings) {
          statements.push(query)
          return storage.sql.exec(query, ...bindings)
        },
      },
      sync: () => storage.sync(),
      transaction: (closure) => storage.transaction(closure),
      transactionSync: (closure) => storage.transactionSync(closure),
    },
  }
}
