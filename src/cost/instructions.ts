/** One row of `explain`: an instruction of the program that SQLite made of a statement. */
export interface Instruction {
  readonly opcode: string
  readonly p1: number
  readonly p2: number
  readonly p3: number
  readonly p4: string
}

/** A row of `explain`, as far as it is of use. */
export type ExplainRow = readonly [
  address: number,
  opcode: string,
  p1: number,
  p2: number,
  p3: number,
  p4: string | null,
]

/** The instructions of a statement, or of a trigger or a foreign-key action that it runs. */
export type Program = readonly Instruction[]

/**
 * The programs in the rows of `explain`: that of the statement first. Each starts at address 0.
 *
 * https://www.sqlite.org/opcode.html
 */
export function toPrograms(rows: readonly ExplainRow[]): Program[] {
  const programs: Instruction[][] = []
  for (const [address, opcode, p1, p2, p3, p4] of rows) {
    if (address === 0) {
      programs.push([])
    }
    programs.at(-1)?.push({ opcode, p1, p2, p3, p4: p4 ?? '' })
  }
  return programs
}

/** What a cursor of a program goes through. */
export type CursorTarget =
  | { readonly kind: 'b-tree'; readonly rootPage: number }
  | { readonly kind: 'virtual'; readonly pointer: string }
  | { readonly kind: 'automatic index' }
  /** Rows that the statement itself has made: a sub-select, a list, what is sorted. */
  | { readonly kind: 'own' }

const OWN: CursorTarget = { kind: 'own' }

/** What the instruction opens a cursor on. Undefined for one that opens none. */
export function toOpened({ opcode, p2, p4 }: Instruction): CursorTarget | undefined {
  switch (opcode) {
    case 'OpenRead':
    case 'OpenWrite':
    case 'ReopenIdx':
      return { kind: 'b-tree', rootPage: p2 }
    case 'VOpen':
      return { kind: 'virtual', pointer: p4 }
    case 'OpenAutoindex':
      return { kind: 'automatic index' }
    case 'OpenDup':
    case 'OpenEphemeral':
    case 'OpenPseudo':
    case 'SorterOpen':
      return OWN
    default:
      return undefined
  }
}

/** What the cursor is on at an address: what was opened last before it. */
export function cursorTarget(program: Program, cursor: number, address: number): CursorTarget {
  for (let i = address; i >= 0; i--) {
    const instruction = program[i]!
    if (instruction.p1 === cursor) {
      const target = toOpened(instruction)
      if (target !== undefined) {
        return target
      }
    }
  }
  return OWN
}

/** The instructions that take a cursor to its first row. */
export const STARTS: ReadonlySet<string> = new Set([
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
export const WHOLE: ReadonlySet<string> = new Set(['Count', 'Last', 'Rewind'])
