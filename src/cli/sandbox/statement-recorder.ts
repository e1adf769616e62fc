import type { MigrationStorage } from '../../migration/index.js'
import type { SqlStorage } from '../../platform/storage.js'

/** `ctx.storage`, with the last statement that SQLite refused. */
export class StatementRecorder implements MigrationStorage {
  readonly #storage: MigrationStorage
  readonly #ran = new Map<string, number>()
  readonly sql: SqlStorage
  #failed: { readonly sql: string; readonly message: string } | undefined

  constructor(storage: MigrationStorage) {
    this.#storage = storage
    this.sql = { exec: (query, ...bindings) => this.#exec(query, bindings) }
  }

  transaction<T>(closure: (transaction: { rollback(): void }) => Promise<T>): Promise<T> {
    return this.#storage.transaction(closure)
  }

  transactionSync<T>(closure: () => T): T {
    return this.#storage.transactionSync(closure)
  }

  sync(): Promise<void> {
    return this.#storage.sync()
  }

  getCurrentBookmark(): Promise<string> {
    return this.#storage.getCurrentBookmark()
  }

  /** The statement that these errors are about, and how often the same text had run before. */
  statementOf(errors: readonly unknown[]): {
    readonly sql: string | undefined
    readonly repetition: number
  } {
    const failed = this.#failed
    const isAbout =
      failed !== undefined && errors.some((error) => String(error).includes(failed.message))
    return isAbout
      ? { sql: failed.sql, repetition: (this.#ran.get(failed.sql) ?? 1) - 1 }
      : { sql: undefined, repetition: 0 }
  }

  #exec(query: string, bindings: unknown[]): ReturnType<SqlStorage['exec']> {
    this.#ran.set(query, (this.#ran.get(query) ?? 0) + 1)
    try {
      return this.#storage.sql.exec(query, ...bindings)
    } catch (error) {
      this.#failed = { sql: query, message: error instanceof Error ? error.message : String(error) }
      throw error
    }
  }
}
