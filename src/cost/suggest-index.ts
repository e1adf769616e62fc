import type { CompiledQuery } from 'kysely'
import { quote, read } from '../migration/raw-sql.js'
import type { DurableObjectStorageLike, SqlStorage } from '../platform/storage.js'
import { explain } from './explain.js'
import type { QueryPlan } from './query-plan.js'
import { findScans, listScans, type ScanReason } from './scan.js'

/** `ctx.storage`, as far as {@link QueryRecorder.scans} needs it to try an index. */
export type TransactionSyncStorage = Pick<DurableObjectStorageLike, 'sql' | 'transactionSync'>

/** An index of more columns is for a user to think of. */
const MAX_COLUMNS = 4

const COLUMNS = `select name from pragma_table_xinfo(?) where hidden <> 1 order by cid`
const IS_TAKEN = 'select 1 from sqlite_schema where name = ? collate nocase'

/** The plan with an index on some columns. */
interface Trial {
  readonly columns: readonly string[]
  readonly reason: ScanReason | undefined
  /**
   * How bad what becomes of the other tables is. It must not get worse: a table that had an automatic
   * index may be scanned anew for each row instead.
   */
  readonly others: number
  /** How far the search goes by the index. */
  readonly terms: number
}

/**
 * A `create index` with which the statement no longer scans or sorts the table. It is found by making
 * the index, asking SQLite, and undoing it: column by column, as long as SQLite uses one more of them.
 * Undefined if there is none.
 */
export function suggestIndex(
  storage: TransactionSyncStorage,
  query: CompiledQuery,
  table: string,
): string | undefined {
  const { sql } = storage
  const columns = read<[string]>(sql, COLUMNS, table).map(([name]) => name)
  const name = (trial: readonly string[]): string => unusedName(sql, [table, ...trial].join('_'))
  const attempt = (trial: readonly string[]): Trial | undefined =>
    undone(storage, () => {
      const index = name(trial)
      sql.exec(createIndex(index, table, trial))
      return toTrial(explain(sql, query), table, index, trial)
    })
  let best = toTrial(explain(sql, query), table, undefined, [])
  while (best.columns.length < MAX_COLUMNS) {
    const better = columns
      .filter((column) => !best.columns.includes(column))
      .flatMap((column) => attempt([...best.columns, column]) ?? [])
      .reduce((winner, trial) => (isBetter(trial, winner) ? trial : winner), best)
    if (better === best) {
      break
    }
    best = better
  }
  return best.reason === undefined
    ? createIndex(name(best.columns), table, best.columns)
    : undefined
}

function toTrial(
  plan: QueryPlan,
  table: string,
  index: string | undefined,
  columns: readonly string[],
): Trial {
  const details = plan.steps.filter((step) => step.index === index && index !== undefined)
  return {
    columns,
    reason: findScans(plan).get(table),
    others: listScans(plan).reduce(
      (sum, scan) => sum + (scan.table === table ? 0 : weigh(scan.reason)),
      0,
    ),
    terms: Math.max(0, ...details.map(({ detail }) => countTerms(detail))),
  }
}

/** `(a=? AND b>?)`: an equality leads further than a range, after which no column is of use. */
function countTerms(detail: string): number {
  const equalities = detail.match(/=\?/g)?.length ?? 0
  const ranges = detail.match(/[<>]\?/g)?.length ?? 0
  return 2 * equalities + Math.min(1, ranges)
}

const WEIGHTS: Readonly<Partial<Record<ScanReason, number>>> = {
  sort: 1,
  'automatic index': 2,
  'scan of index': 3,
  scan: 3,
}

function isBetter(trial: Trial, than: Trial): boolean {
  if (trial.others > than.others) {
    return false
  }
  const difference = weigh(trial.reason) - weigh(than.reason)
  return difference < 0 || (difference === 0 && trial.terms > than.terms)
}

function weigh(reason: ScanReason | undefined): number {
  return reason === undefined ? 0 : (WEIGHTS[reason] ?? 0)
}

function createIndex(name: string, table: string, columns: readonly string[]): string {
  return `create index ${quote(name)} on ${quote(table)} (${columns.map(quote).join(', ')})`
}

function unusedName(sql: SqlStorage, name: string): string {
  return read(sql, IS_TAKEN, name).length === 0 ? name : unusedName(sql, `${name}_index`)
}

/** Thrown to undo what was done. */
const UNDO = new Error('undone')

/** What the body returns; what it did is undone. Undefined where it failed: no index, no suggestion. */
function undone<T>(storage: TransactionSyncStorage, body: () => T): T | undefined {
  let result: T | undefined
  try {
    storage.transactionSync(() => {
      result = body()
      throw UNDO
    })
  } catch (error) {
    return error === UNDO ? result : undefined
  }
  return undefined
}
