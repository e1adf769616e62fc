import { KYSELY_TABLES } from '../schema/user-tables.js'
import type { QueryPlan, QueryPlanStep } from './query-plan.js'

/**
 * What is wrong with a statement:
 *
 * - `'scan'`: the table is read whole.
 * - `'scan of index'`: an index of the table is read whole.
 * - `'automatic index'`: SQLite reads the table whole, to build an index for this one run.
 * - `'sort'`: the rows are sorted, because no index has them in that order.
 * - `'not explained'`: SQLite refuses the statement now, because the schema has changed since it ran.
 * - `'unused allow entry'`: no recorded statement matches this entry of `allow`.
 */
export type ScanReason =
  | 'scan'
  | 'scan of index'
  | 'automatic index'
  | 'sort'
  | 'not explained'
  | 'unused allow entry'

/** From the worst: there is one entry for each statement and table. */
const REASONS: readonly ScanReason[] = ['scan', 'scan of index', 'automatic index', 'sort']

const SORT = /(?:order|group) by$/

/** What a plan does to a table that is more than a search. */
export interface TableScan {
  readonly table: string
  readonly reason: ScanReason
}

/** One for each step of the plan. */
export function listScans({ steps }: QueryPlan): TableScan[] {
  let sorted: string | undefined
  return steps.flatMap((step) => {
    sorted = step.table ?? sorted
    const reason = reasonOf(step)
    const table = reason === 'sort' ? sorted : step.table
    return reason === undefined || table === undefined || !isUserTable(table)
      ? []
      : [{ table, reason }]
  })
}

/** The worst for each table, by the table's name. */
export function findScans(plan: QueryPlan): Map<string, ScanReason> {
  const scans = new Map<string, ScanReason>()
  for (const { table, reason } of listScans(plan)) {
    const known = scans.get(table)
    if (known === undefined || REASONS.indexOf(reason) < REASONS.indexOf(known)) {
      scans.set(table, reason)
    }
  }
  return scans
}

function reasonOf(step: QueryPlanStep): ScanReason | undefined {
  if (step.temporaryBTree !== undefined) {
    return SORT.test(step.temporaryBTree) ? 'sort' : undefined
  }
  if (step.automaticIndex === true) {
    return 'automatic index'
  }
  return step.access === 'search' || step.limited === true ? undefined : step.access
}

/** SQLite's own tables, and those of Kysely's migrations, are read by queries that no user writes. */
function isUserTable(table: string): boolean {
  return !table.startsWith('sqlite_') && !KYSELY_TABLES.has(table)
}
