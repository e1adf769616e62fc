import { FromNode, SelectionNode, SelectQueryNode, SetOperationNode } from 'kysely'
import type { Token } from './statement.js'

/** https://developers.cloudflare.com/durable-objects/platform/limits/ and workerd's `sqlite.c++`. */
const MAX_TERMS = 5

/**
 * The same select with at most five terms side by side: the others move into sub-selects.
 *
 * ```sql
 * a union all b union all c union all d union all e union all f
 * a union all select * from (b union all c) union all d union all e union all f
 * ```
 *
 * It is for a whole query, whose rows come out as they are: the platform reads an integer and a real
 * alike. Elsewhere the columns of the sub-select may have another affinity or collation than those of
 * its terms, so that rows are compared, sorted or stored otherwise:
 * https://www.sqlite.org/datatype3.html#column_affinity_for_compound_views
 */
export function nestUnionAll(query: SelectQueryNode): SelectQueryNode {
  const { setOperations, ...first } = query
  const terms =
    setOperations === undefined || query.orderBy !== undefined ? undefined : termsOf(setOperations)
  return terms === undefined || terms.length < MAX_TERMS ? query : withTerms(first, terms)
}

/**
 * The terms as SQLite reads them, whatever was nested when they were built: Kysely writes no
 * parentheses there. Undefined if they are not all of `union all`, if one has clauses that belong to
 * the whole (`order by`), or is none of Kysely's selects.
 */
function termsOf(setOperations: readonly SetOperationNode[]): SelectQueryNode[] | undefined {
  const terms: SelectQueryNode[] = []
  for (const { operator, all, expression } of setOperations) {
    if (operator !== 'union' || !all || !SelectQueryNode.is(expression) || !isPlain(expression)) {
      return undefined
    }
    const { setOperations: more = [], ...term } = expression
    const others = termsOf(more)
    if (others === undefined) {
      return undefined
    }
    terms.push(term, ...others)
  }
  return terms
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

function withTerms(first: SelectQueryNode, terms: readonly SelectQueryNode[]): SelectQueryNode {
  const groups = inGroups(terms, Math.ceil(terms.length / (MAX_TERMS - 1)))
  return {
    ...first,
    setOperations: groups.map(([term, ...others]) =>
      SetOperationNode.create(
        'union',
        others.length === 0 ? term! : toSubSelect(withTerms(term!, others)),
        true,
      ),
    ),
  }
}

function toSubSelect(select: SelectQueryNode): SelectQueryNode {
  return {
    kind: 'SelectQueryNode',
    selections: [SelectionNode.createSelectAll()],
    from: FromNode.create([select]),
  }
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}

/** Several sources of rows as one, in their order, with the columns of `json_each`. */
export function toOneSource(sources: readonly (readonly Token[])[]): readonly Token[] {
  let level = sources
  while (level.length > 1) {
    level = inGroups(level, MAX_TERMS).map((group) => [
      ...group.flatMap((source, i) => [i === 0 ? '(' : ' union all ', 'select * from ', ...source]),
      ')',
    ])
  }
  return level[0] ?? []
}
