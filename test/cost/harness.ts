import { CompiledQuery, Kysely } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor } from '../../src/index.js'
import { QueryRecorder, type Scan } from '../../src/cost/index.js'

/** What one run of a statement read, and what a recorder says of it. */
export interface Measurement {
  readonly rowsRead: number
  readonly scans: Scan[]
  readonly recorder: QueryRecorder
}

/** What the body returns. What it did is undone. */
export function undone<T>(storage: DurableObjectStorage, body: () => T): T {
  const undo = new Error('undone')
  const results: T[] = []
  try {
    storage.transactionSync(() => {
      results.push(body())
      throw undo
    })
  } catch (error) {
    if (error !== undo) {
      throw error
    }
  }
  return results[0]!
}

/** Runs a statement and undoes what it did. */
export function measure(
  storage: DurableObjectStorage,
  sql: string,
  parameters: readonly unknown[],
): Measurement {
  const recorder = new QueryRecorder()
  let rowsRead = 0
  const db = new Kysely<unknown>({
    dialect: new DurableObjectSqliteDialect(storage, {
      onQuery: (event) => {
        rowsRead = event.rowsRead
        recorder.onQuery(event)
      },
    }),
  })
  undone(storage, () =>
    new SyncExecutor(db, storage).execute(CompiledQuery.raw(sql, [...parameters])),
  )
  return { rowsRead, scans: recorder.scans(storage.sql), recorder }
}

/** Whether the cost of a statement grows with its table, of which it read rows at 100 and at 1,000. */
export function grows(at100: number, at1000: number): boolean {
  return at1000 > 3 * at100 + 30
}
