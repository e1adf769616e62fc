import type { Token } from './statement.js'
import { FromNode, SelectionNode, SelectQueryNode, SetOperationNode } from 'kysely'

/** https://developers.cloudflare.com/durable-objects/platform/limits/ and workerd's `sqlite.c++`. */
const MAX_TERMS = 5

/** One of the operations of a compound select, with a select that has none of its own. */
interface Operation extends SetOperationNode {
  readonly expression: SelectQueryNode
}

/**
 * The same select with at most five terms side by side: the terms of a longer one move into
 * sub-selects.
 *
 * ```sql
 * a union b union c union d union e union f
 * a union select * from (b union all c) union d union e union f
 * ```
 *
 * The first term keeps its place, because it names the columns and decides how rows are compared. So
 * does the order of the others: operations are applied from left to right, and `(a ∪ b) ∪ c` is
 * `a ∪ (b + c)`, as `(a \ b) \ c` is `a \ (b + c)`. There is no such rule for `intersect`.
 */
export function nestSetOperations(node: SelectQueryNode): SelectQueryNode {
  const operations = node.setOperations && flatten(node.setOperations)
  if (operations === undefined || operations.length < MAX_TERMS) {
    return node
  }
  const runs = runsOfOneKind(operations)
  const groups = runs.length === 1 ? inParts(runs[0]!, MAX_TERMS - 1) : runs
  return { ...node, setOperations: groups.flatMap(toOneTerm) }
}

/**
 * The operations as SQLite reads them, whatever was nested when they were built: Kysely writes no
 * parentheses there. Undefined if a term has clauses that belong to the whole (`order by`), or is
 * none of Kysely's selects.
 */
function flatten(setOperations: readonly SetOperationNode[]): Operation[] | undefined {
  const flat: Operation[] = []
  for (const { operator, all, expression } of setOperations) {
    if (!SelectQueryNode.is(expression) || !isPlain(expression)) {
      return undefined
    }
    const { setOperations: more, ...select } = expression
    flat.push(toOperation(operator, all, select))
    if (more !== undefined) {
      const operations = flatten(more)
      if (operations === undefined) {
        return undefined
      }
      flat.push(...operations)
    }
  }
  return flat
}

function isPlain(select: SelectQueryNode): boolean {
  const { with: ctes, orderBy, limit, offset, fetch, endModifiers } = select
  return (
    ctes === undefined &&
    orderBy === undefined &&
    limit === undefined &&
    offset === undefined &&
    fetch === undefined &&
    endModifiers === undefined
  )
}

function runsOfOneKind(operations: readonly Operation[]): Operation[][] {
  const runs: Operation[][] = []
  for (const operation of operations) {
    const run = runs.at(-1)
    const { operator, all } = operation
    if (run?.[0]?.operator === operator && run[0].all === all && operator !== 'intersect') {
      run.push(operation)
    } else {
      runs.push([operation])
    }
  }
  return runs
}

function inParts(run: readonly Operation[], count: number): Operation[][] {
  const size = Math.ceil(run.length / count)
  return Array.from({ length: Math.ceil(run.length / size) }, (_, i) =>
    run.slice(i * size, (i + 1) * size),
  )
}

/** `union b union c` as `union select * from (b union all c)`, itself nested where it is compiled. */
function toOneTerm(run: readonly Operation[]): SetOperationNode[] {
  const [first, ...rest] = run
  if (first === undefined || rest.length === 0) {
    return [...run]
  }
  const rows: SelectQueryNode = {
    ...first.expression,
    setOperations: rest.map(({ expression }) => toOperation('union', true, expression)),
  }
  const select: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([rows]),
    selections: [SelectionNode.createSelectAll()],
  }
  return [toOperation(first.operator, first.all, select)]
}

/** Several sources of rows with the column `value` as one, in their order. */
export function toOneSource(sources: readonly (readonly Token[])[]): readonly Token[] {
  let level = sources
  while (level.length > 1) {
    const groups: Token[][] = []
    for (let i = 0; i < level.length; i += MAX_TERMS) {
      const terms = level.slice(i, i + MAX_TERMS)
      groups.push([
        '(',
        ...terms.flatMap((term, i) => [
          i === 0 ? '' : ' union all ',
          'select value from ',
          ...term,
        ]),
        ')',
      ])
    }
    level = groups
  }
  return level[0] ?? []
}

function toOperation(
  operator: SetOperationNode['operator'],
  all: boolean,
  expression: SelectQueryNode,
): Operation {
  return { kind: 'SetOperationNode', operator, all, expression }
}
