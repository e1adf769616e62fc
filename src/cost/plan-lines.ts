import { cursorTarget, type Program, STARTS, WHOLE } from './instructions.js'
import type { SchemaNames } from './schema-names.js'

/** `SCAN doc VIRTUAL TABLE INDEX 0:M1`: the number and the text in which the module has its plan. */
export const VIRTUAL_TABLE = / VIRTUAL TABLE INDEX (-?\d+):([^]*)$/

/** A row of `explain query plan`. */
export type PlanRow = readonly [id: number, parent: number, notUsed: number, detail: string]

/** What it says, and where in the program of `explain` its part begins. */
export interface PlanLine {
  readonly detail: string
  readonly address: number
  /** Whether it is one of several searches for the terms of an `or`, whose part ends there. */
  readonly isTerm: boolean
}

/**
 * `explain query plan` makes the same program with one instruction more for each of its rows, whose
 * address is the `id`. Some of these `explain` has too.
 */
export function toPlanLines(program: Program, planRows: readonly PlanRow[]): PlanLine[] {
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

/**
 * Where a line's part of the program takes its cursor to the first row: the first instruction that
 * does so for what the line names, and that no line further on has claimed.
 */
export function findStart(
  program: Program,
  { detail, address, isTerm }: PlanLine,
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

/** Whether the line is about what the instruction is about. */
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
    return index !== undefined && endsWithName(detail, ` INDEX ${index}`)
  }
  if (/ USING (?:INTEGER )?PRIMARY KEY/.test(detail)) {
    return target.kind === 'b-tree' && index === undefined
  }
  // A table, or a sub-select: rows that were kept, or a co-routine, which has no cursor.
  return opcode === 'Yield' || (WHOLE.has(opcode) && index === undefined)
}

/** Whether the words are in the line, followed by what is said of the index, or by nothing. */
function endsWithName(detail: string, words: string): boolean {
  const start = detail.indexOf(words)
  const rest = detail.slice(start + words.length)
  return start !== -1 && (rest === '' || rest.startsWith(' '))
}
