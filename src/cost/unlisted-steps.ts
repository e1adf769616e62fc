import { bTreeStep, isForMendingForeignKeys } from './b-tree-step.js'
import { type Program, STARTS, WHOLE } from './instructions.js'
import { isWholeLoop } from './loops.js'
import type { QueryPlanStep } from './query-plan.js'
import type { SchemaNames } from './schema-names.js'

/** Loops that `explain query plan` does not list: an `insert … select` from table to table. */
export function unlistedScans(
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
export function subprogramSteps(program: Program, names: SchemaNames): QueryPlanStep[] {
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
