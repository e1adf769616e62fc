import { cursorTarget, type Program } from './instructions.js'
import { isLimited, isWholeLoop } from './loops.js'
import type { QueryPlan, QueryPlanStep } from './query-plan.js'
import type { BTree, SchemaNames } from './schema-names.js'

/** The instructions that take a cursor to its first row. */
const STARTS = new Set([
  'Count',
  'Last',
  'NotExists',
  'Rewind',
  'SeekGE',
  'SeekGT',
  'SeekLE',
  'SeekLT',
  'SeekRowid',
  'VFilter',
  'Yield',
])

/** Those that take it to the first row of all. */
const WHOLE = new Set(['Count', 'Last', 'Rewind'])

const TEMPORARY_B_TREE = /^USE TEMP B-TREE FOR (.*)$|^(.*) USING TEMP B-TREE$/

/** `SCAN doc VIRTUAL TABLE INDEX 0:M1`: the number and the text in which the module has its plan. */
const VIRTUAL_TABLE = / VIRTUAL TABLE INDEX (-?\d+):([^]*)$/

/** A row of `explain query plan`. */
export type PlanRow = readonly [id: number, parent: number, notUsed: number, detail: string]

/** What it says, and where in the program of `explain` its part begins. */
interface Line {
  readonly detail: string
  readonly address: number
  /** Whether it is one of several searches for the terms of an `or`, whose part ends there. */
  readonly isTerm: boolean
}

/** What SQLite says of a statement, put together. */
export function readPlan(
  programs: readonly Program[],
  planRows: readonly PlanRow[],
  names: SchemaNames,
): QueryPlan {
  const [main = [], ...subprograms] = programs
  const steps = [
    ...mainSteps(main, toLines(main, planRows), names),
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

/**
 * `explain query plan` makes the same program with one instruction more for each of its rows, whose
 * address is the `id`. Some of these `explain` has too.
 */
function toLines(program: Program, planRows: readonly PlanRow[]): Line[] {
  let missing = 0
  return planRows.map(([id, , , detail], i) => {
    const address = id - missing
    if (program[address]?.opcode !== 'Explain') {
      missing++
    }
    const isTerm = /^INDEX \d+$/.test(planRows[i - 1]?.[3] ?? '')
    return { detail, address, isTerm }
  })
}

function mainSteps(program: Program, lines: readonly Line[], names: SchemaNames): QueryPlanStep[] {
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
  line: Line,
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

function bTreeStep(
  program: Program,
  { table, index }: BTree,
  isWhole: boolean,
  start: number,
): Omit<QueryPlanStep, 'detail'> {
  const name = index === undefined ? undefined : { index }
  const isOneRow = program[start]!.opcode !== 'Count' && isLimited(program, start)
  if (!isWhole) {
    return { table, access: 'search', ...name }
  }
  return {
    table,
    access: index === undefined ? 'scan' : 'scan of index',
    ...name,
    ...(isOneRow ? { limited: true } : undefined),
  }
}

/**
 * Where a line's part of the program takes its cursor to the first row: the first instruction that
 * does so for what the line names, and that no line further on has claimed.
 */
function findStart(
  program: Program,
  { detail, address, isTerm }: Line,
  names: SchemaNames,
  claimed: ReadonlySet<number>,
): number | undefined {
  const fits = (i: number): boolean =>
    !claimed.has(i) && STARTS.has(program[i]!.opcode) && isNamed(program, i, detail, names)
  const start = program.findIndex(
    ({ opcode }, i) => i >= address && opcode !== 'Count' && !isTerm && fits(i),
  )
  if (start !== -1) {
    return start
  }
  // The line of a `count(*)` comes after it, too.
  const before = program.findLastIndex(
    ({ opcode }, i) => i < address && (isTerm || opcode === 'Count') && fits(i),
  )
  return before === -1 ? undefined : before
}

/**
 * Whether it runs only while a deferred foreign key is violated: an insert into the parent table then
 * looks for the rows that it mends. https://www.sqlite.org/opcode.html#FkIfZero
 */
function isForMendingForeignKeys(program: Program, address: number): boolean {
  return program.some(({ opcode, p2 }, i) => opcode === 'FkIfZero' && i < address && address < p2)
}

/** What the cursor goes through. A co-routine has none: its number is that of a register. */
function tableAt(program: Program, address: number, names: SchemaNames): BTree | undefined {
  const { opcode, p1 } = program[address]!
  return opcode === 'Yield' ? undefined : names.atCursor(program, p1, address)
}

function isNamed(program: Program, address: number, detail: string, names: SchemaNames): boolean {
  const { opcode, p1 } = program[address]!
  const target = cursorTarget(program, p1, address)
  const bTree = target.kind === 'b-tree' ? names.bTree(target.rootPage) : undefined
  if (bTree !== undefined && bTree.index === undefined && detail === `SCAN ${bTree.table}`) {
    // Whatever its name looks like.
    return true
  }
  if (VIRTUAL_TABLE.test(detail)) {
    return opcode === 'VFilter'
  }
  if (detail.includes(' USING AUTOMATIC ')) {
    return target.kind === 'automatic index'
  }
  const index = bTree?.index
  if (/ USING (?:COVERING )?INDEX /.test(detail)) {
    return index !== undefined && detail.includes(` INDEX ${index}`)
  }
  if (/ USING (?:INTEGER )?PRIMARY KEY/.test(detail)) {
    return target.kind === 'b-tree' && index === undefined
  }
  // A table, or a sub-select: rows that were kept, or a co-routine, which has no cursor.
  return opcode === 'Yield' || (WHOLE.has(opcode) && index === undefined)
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

/** Loops that `explain query plan` does not list: an `insert … select` from table to table. */
function unlistedScans(
  program: Program,
  names: SchemaNames,
  claimed: ReadonlySet<number>,
  owner?: Pick<QueryPlanStep, 'trigger'>,
): QueryPlanStep[] {
  return program.flatMap(({ opcode, p1 }, start) => {
    if (claimed.has(start) || !WHOLE.has(opcode) || isForMendingForeignKeys(program, start)) {
      return []
    }
    const bTree = names.atCursor(program, p1, start)
    const isScan = opcode === 'Count' || isWholeLoop(program, start)
    // An autoincrement looks up its one row among those of the few tables that have one.
    return bTree === undefined || !isScan || bTree.table === 'sqlite_sequence'
      ? []
      : [describe(bTreeStep(program, bTree, true, start), owner)]
  })
}

/** The steps of a trigger or of a foreign-key action. */
function subprogramSteps(program: Program, names: SchemaNames): QueryPlanStep[] {
  const trigger = /^-- TRIGGER ([^]*)$/.exec(program[0]?.p4 ?? '')?.[1] ?? null
  const scans = unlistedScans(program, names, new Set(), { trigger })
  const searches = program.flatMap(({ opcode, p1 }, start) => {
    if (!STARTS.has(opcode) || opcode === 'Count' || opcode === 'Yield') {
      return []
    }
    const bTree = names.atCursor(program, p1, start)
    return bTree === undefined || (WHOLE.has(opcode) && isWholeLoop(program, start))
      ? []
      : [describe(bTreeStep(program, bTree, false, start), { trigger })]
  })
  return [...scans, ...searches]
}

function describe(
  step: Omit<QueryPlanStep, 'detail'>,
  owner: Pick<QueryPlanStep, 'trigger'> | undefined,
): QueryPlanStep {
  const verb = step.access === 'search' ? 'SEARCH' : 'SCAN'
  const using = step.index === undefined ? '' : ` USING INDEX ${step.index}`
  return { detail: `${verb} ${step.table}${using}`, ...step, ...owner }
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
