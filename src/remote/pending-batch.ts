import type { QueryResult } from 'kysely'

interface PendingQuery {
  readonly resolve: (result: QueryResult<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** Queries that are executed one by one, for Kysely's log to see them, and sent together. */
export class PendingBatch {
  readonly #queries: PendingQuery[] = []

  add(): Promise<QueryResult<unknown>> {
    return new Promise((resolve, reject) => {
      this.#queries.push({ resolve, reject })
    })
  }

  /** Gives each query its result or, since all were undone, every one the error. */
  async settle(sent: Promise<readonly QueryResult<unknown>[]>): Promise<void> {
    try {
      const results = await sent
      this.#queries.forEach(({ resolve }, index) => resolve(results[index]!))
    } catch (error) {
      this.#queries.forEach(({ reject }) => reject(error))
    }
  }
}
