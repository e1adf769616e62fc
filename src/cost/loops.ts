import type { Instruction, Program } from './instructions.js'

/** The instructions that may go on at p2: https://www.sqlite.org/opcode.html */
const JUMPS: ReadonlySet<string> = new Set([
  'ElseEq',
  'Eq',
  'Filter',
  'FkIfZero',
  'Found',
  'Ge',
  'Gosub',
  'Goto',
  'Gt',
  'IdxGE',
  'IdxGT',
  'IdxLE',
  'IdxLT',
  'If',
  'IfNoHope',
  'IfNot',
  'IfNotOpen',
  'IfNotZero',
  'IfNullRow',
  'IfSizeBetween',
  'IfSmaller',
  'Init',
  'InitCoroutine',
  'IsNull',
  'IsType',
  'Last',
  'Le',
  'Lt',
  'MustBeInt',
  'Ne',
  'Next',
  'NoConflict',
  'NotExists',
  'NotFound',
  'NotNull',
  'Once',
  'Prev',
  'Program',
  'Rewind',
  'RowSetRead',
  'RowSetTest',
  'SeekGE',
  'SeekGT',
  'SeekLE',
  'SeekLT',
  'SeekRowid',
  'SeekScan',
  'Sort',
  'SorterNext',
  'SorterSort',
  'VFilter',
  'VNext',
  'Yield',
])

const BOUNDS = new Set(['IdxGE', 'IdxGT', 'IdxLE', 'IdxLT'])
const COMPARISONS = new Set(['Ge', 'Gt', 'Le', 'Lt'])
const ADVANCES = new Set(['Next', 'Prev', 'VNext'])

/** Whether what starts at the instruction goes to row after row for as long as there are any. */
export function isWholeLoop(program: Program, start: number): boolean {
  const advance = findAdvance(program, start)
  return advance !== undefined && !isBounded(program, start, advance)
}

/**
 * Whether the next row is asked for only where a `limit` has been counted down, or never, as for the
 * `max()` of an index. So a loop over a whole table reads as many rows as the limit says.
 */
export function isLimited(program: Program, start: number): boolean {
  const advance = findAdvance(program, start)
  return advance === undefined || !isReachable(program, start + 1, advance)
}

/** The instruction that moves the cursor of the loop on. */
function findAdvance(program: Program, start: number): number | undefined {
  const { p1 } = program[start]!
  const index = program.findIndex(
    (it, i) => i > start && it.p1 === p1 && it.p2 > start && it.p2 <= i && ADVANCES.has(it.opcode),
  )
  return index === -1 ? undefined : index
}

/** Whether the loop is left at the first row beyond a range, as `where id < 5` is. */
function isBounded(program: Program, start: number, advance: number): boolean {
  const cursor = program[start]!.p1
  for (let i = start + 1; i < advance; i++) {
    const { opcode, p1, p2 } = program[i]!
    if (p1 === cursor && BOUNDS.has(opcode) && p2 > advance) {
      return true
    }
    const next = program[i + 1]!
    if (
      opcode === 'Rowid' &&
      p1 === cursor &&
      i === program[advance]!.p2 &&
      COMPARISONS.has(next.opcode) &&
      (next.p1 === p2 || next.p3 === p2) &&
      next.p2 > advance
    ) {
      return true
    }
  }
  return false
}

/** Whether `to` can be reached from `from` without counting down a `limit` or an `offset`. */
function isReachable(program: Program, from: number, to: number): boolean {
  const seen = new Set<number>()
  const open = [from]
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (address === to) {
      return true
    }
    if (address < program.length && !seen.has(address)) {
      seen.add(address)
      open.push(...successors(program, address))
    }
  }
  return false
}

function isCall({ opcode, p1 }: Instruction, register: number): boolean {
  return opcode === 'Gosub' && p1 === register
}

function successors(program: Program, address: number): number[] {
  const { opcode, p1, p2, p3 } = program[address]!
  switch (opcode) {
    case 'Halt':
    case 'EndCoroutine':
    case 'DecrJumpZero':
      return []
    case 'Goto':
      return [p2]
    case 'IfPos':
      // With p3 it counts down an `offset`.
      return p3 > 0 ? [address + 1] : [address + 1, p2]
    case 'Return':
      return [address + 1, ...program.flatMap((it, i) => (isCall(it, p1) ? i + 1 : []))]
    case 'Jump':
      return [p1, p2, p3]
    default:
      return JUMPS.has(opcode) ? [address + 1, p2] : [address + 1]
  }
}
