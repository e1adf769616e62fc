import { type OperationNode, RawNode, ValueListNode, ValueNode } from 'kysely'

/** What is not SQL by itself: strings, quoted names and comments. */
const QUOTED = /'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?\*\//g
const UNFINISHED = /['"`[]|\/\*/
const BEFORE_LIST = /(?<![\w$\u0080-\uffff])in\s*\(\s*$/i
const AFTER_LIST = /^\s*\)/

/**
 * The list of `in (${sql.join(values)})` in raw SQL, if it is nothing but values with commas between
 * them. `in` is no name in SQLite, and a placeholder is never part of a string or a comment.
 */
export function findRawList(
  parameter: OperationNode,
  before: string,
  after: string,
): ValueListNode | undefined {
  if (
    !RawNode.is(parameter) ||
    parameter.sqlFragments.some(Boolean) ||
    !AFTER_LIST.test(after) ||
    !isBeforeList(before)
  ) {
    return undefined
  }
  const { parameters } = parameter
  return parameters.length % 2 === 1 &&
    parameters.every((node, i) => (i % 2 === 0 ? ValueNode.is(node) : isComma(node)))
    ? ValueListNode.create(parameters.filter((_, i) => i % 2 === 0))
    : undefined
}

function isBeforeList(sql: string): boolean {
  const unquoted = sql.replace(QUOTED, ' ')
  return BEFORE_LIST.test(unquoted) && !UNFINISHED.test(unquoted)
}

function isComma(node: OperationNode): boolean {
  return (
    RawNode.is(node) && node.parameters.length === 0 && node.sqlFragments.join('').trim() === ','
  )
}
