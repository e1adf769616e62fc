import { CompiledQuery, Kysely } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor } from '../../src/index.js'
import { QueryRecorder, type Scan } from '../../src/cost/index.js'

/** What one run of a statement read, and what a recorder says of it. */
export interface Measurement {
  readonly rowsRead: number
  readonly scans: Scan[]
}

const UNDO = new Error('undone')

/** Runs a statement and undoes what it did. */
export function measure(
  storage: DurableObjectStorage,
  sql: string,
  parameters: readonly unknown[],
): Measurement {
  const recorder = new QueryRecorder()
  let rows = 0
  const db = new Kysely<unknown>({
    dialect: new DurableObjectSqliteDialect(storage, {
      onQuery: (event) => {
        rows = event.rowsRead
        recorder.onQuery(event)
      },
    }),
  })
  const sync = new SyncExecutor(db, storage)
  try {
    storage.transactionSync(() => {
      sync.execute(CompiledQuery.raw(sql, [...parameters]))
      throw UNDO
    })
  } catch (error) {
    if (error !== UNDO) {
      throw error
    }
  }
  return { rowsRead: rows, scans: recorder.scans(storage.sql) }
}

/** Whether the cost of a statement grows with its table, of which it read rows at 100 and at 1,000. */
export function grows(at100: number, at1000: number): boolean {
  return at1000 > 3 * at100 + 30
}
