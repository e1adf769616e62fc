import { bTreeStep, isForMendingForeignKeys } from './b-tree-step.js'
import { cursorTarget, type Program, WHOLE } from './instructions.js'
import { isLimited, isWholeLoop } from './loops.js'
import { findStart, type PlanLine, type PlanRow, toPlanLines, VIRTUAL_TABLE } from './plan-lines.js'
import type { QueryPlan, QueryPlanStep } from './query-plan.js'
import type { BTree, SchemaNames } from './schema-names.js'
import { subprogramSteps, unlistedScans } from './unlisted-steps.js'

const TEMPORARY_B_TREE = /^USE TEMP B-TREE FOR (.*)$|^(.*) USING TEMP B-TREE$/

/** What SQLite says of a statement, put together. */
export function readPlan(
  programs: readonly Program[],
  planRows: readonly PlanRow[],
  names: SchemaNames,
): QueryPlan {
  const [main = [], ...subprograms] = programs
  const steps = [
    ...mainSteps(main, toPlanLines(main, planRows), names),
    ...subprograms.flatMap((program) => subprogramSteps(program, names)),
  ]
  // An `update` opens a table for writing alone, and searches it all the same.
  const found = steps.flatMap(({ table }) => table ?? [])
  return {
    steps,
    reads: sorted([...found, ...tablesOf(programs, names, READS)]),
    writes: sorted(tablesOf(programs, names, WRITES)),
  }
}

function mainSteps(
  program: Program,
  lines: readonly PlanLine[],
  names: SchemaNames,
): QueryPlanStep[] {
  const claimed = new Set<number>()
  // From the last to the first, since those of a sub-select stand within those of what it is in.
  const steps = lines
    .toReversed()
    .map((line) => toStep(program, line, names, claimed))
    .toReversed()
  return [...steps, ...unlistedScans(program, names, claimed)]
}

function toStep(
  program: Program,
  line: PlanLine,
  names: SchemaNames,
  claimed: Set<number>,
): QueryPlanStep {
  const { detail } = line
  const temporary = TEMPORARY_B_TREE.exec(detail)
  if (temporary !== null) {
    return { detail, temporaryBTree: (temporary[1] ?? temporary[2]!).toLowerCase() }
  }
  const isScan = detail.startsWith('SCAN ')
  if (!isScan && !detail.startsWith('SEARCH ')) {
    return { detail }
  }
  const start = findStart(program, line, names, claimed)
  if (start === undefined) {
    return { detail }
  }
  claimed.add(start)
  if (isForMendingForeignKeys(program, start)) {
    return { detail }
  }
  const { opcode, p1 } = program[start]!
  if (cursorTarget(program, p1, start).kind === 'automatic index') {
    return automaticIndexStep(program, detail, start, names, claimed)
  }
  const bTree = tableAt(program, start, names)
  if (bTree === undefined) {
    return { detail }
  }
  if (opcode === 'VFilter') {
    return { detail, table: bTree.table, ...virtualTableAccess(program, detail, start) }
  }
  // `min()` and `max()` are searches in SQLite's words, also where a condition makes them go on.
  const isWhole =
    isScan || (WHOLE.has(opcode) && isWholeLoop(program, start) && !isLimited(program, start))
  return { detail, ...bTreeStep(program, bTree, isWhole, start) }
}

/** What the cursor goes through. A co-routine has none: its number is that of a register. */
function tableAt(program: Program, address: number, names: SchemaNames): BTree | undefined {
  const { opcode, p1 } = program[address]!
  return opcode === 'Yield' ? undefined : names.atCursor(program, p1, address)
}

/** The table is gone through before the search, to make the index. */
function automaticIndexStep(
  program: Program,
  detail: string,
  start: number,
  names: SchemaNames,
  claimed: Set<number>,
): QueryPlanStep {
  const cursor = program[start]!.p1
  const opened = program.findLastIndex(
    ({ opcode, p1 }, i) => i < start && opcode === 'OpenAutoindex' && p1 === cursor,
  )
  const filled = program.findIndex(
    ({ opcode, p1 }, i) => i > opened && opcode === 'IdxInsert' && p1 === cursor,
  )
  const source = program.findLastIndex(
    ({ opcode }, i) => i > opened && i < filled && (WHOLE.has(opcode) || opcode === 'Yield'),
  )
  if (source === -1) {
    return { detail }
  }
  claimed.add(source)
  const bTree = tableAt(program, source, names)
  // An automatic index on what the statement itself has made is no cost of a table.
  return bTree === undefined
    ? { detail }
    : { detail, table: bTree.table, access: 'search', automaticIndex: true }
}

/** FTS5 and R-tree have their plan in a text, which is empty where there is no condition. */
function virtualTableAccess(
  program: Program,
  detail: string,
  start: number,
): Pick<QueryPlanStep, 'access' | 'limited'> {
  const [, number, text] = VIRTUAL_TABLE.exec(detail) ?? []
  // https://github.com/sqlite/sqlite/blob/master/ext/rtree/rtree.c: 1 is a search by rowid.
  if (text?.replace(/ LEFT-JOIN$/, '') !== '' || number === '1') {
    return { access: 'search' }
  }
  return { access: 'scan', ...(isLimited(program, start) ? { limited: true } : undefined) }
}

const READS = new Set(['OpenRead', 'ReopenIdx', 'VOpen'])
const WRITES = new Set(['OpenWrite', 'Clear', 'Destroy', 'VUpdate'])

function tablesOf(
  programs: readonly Program[],
  names: SchemaNames,
  opcodes: ReadonlySet<string>,
): string[] {
  return programs.flat().flatMap(({ opcode, p1, p2, p4 }) => {
    if (!opcodes.has(opcode)) {
      return []
    }
    const table = opcode.startsWith('V')
      ? names.virtualTable(p4)
      : names.bTree(opcode === 'Clear' || opcode === 'Destroy' ? p1 : p2)?.table
    return table ?? []
  })
}

function sorted(tables: readonly string[]): string[] {
  return [...new Set(tables)].toSorted()
}
