import type { Program } from './instructions.js'
import { isLimited } from './loops.js'
import type { QueryPlanStep } from './query-plan.js'
import type { BTree } from './schema-names.js'

/** What a step says that takes a cursor through a table or an index, or to a place in it. */
export function bTreeStep(
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
 * Whether it runs only while a deferred foreign key is violated: an insert into the parent table then
 * looks for the rows that it mends. https://www.sqlite.org/opcode.html#FkIfZero
 */
export function isForMendingForeignKeys(program: Program, address: number): boolean {
  return program.some(({ opcode, p2 }, i) => opcode === 'FkIfZero' && i < address && address < p2)
}
