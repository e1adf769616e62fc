import {
  RawNode,
  ReferenceNode,
  type RootOperationNode,
  SelectAllNode,
  SelectionNode,
  SelectQueryNode,
  type SetOperationNode,
  TableNode,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { ownOutputOf } from './expressions.js'
import { castToText, referenceTo, selectAs } from './nodes.js'
import { isStar, type Output, type OutputColumn, type OutputStar } from './output.js'

/** A column that is selected as text too, at the end of the row, because SQLite's number is rounded. */
export interface ExactColumn {
  /** Which part of the output it belongs to, and which column of a star. */
  readonly part: number
  readonly name: string | undefined
}

/** What was added to the selections of a query. */
export interface Additions {
  /** By part of the output, the name of a column that stands behind it and says where it ends. */
  readonly ends: ReadonlyMap<number, string>
  readonly exact: readonly ExactColumn[]
}

export const NO_ADDITIONS: Additions = { ends: new Map(), exact: [] }

/** What has to be added, so that each column of the result can be told, and read exactly. */
export function findAdditions(output: Output, isCompound: boolean): Additions {
  const lastStar = output.findLastIndex(isStar)
  const stars = output.filter(isStar)
  const hasEnds =
    stars.length > 1 && !isCompound && stars.every(({ source }) => source.name !== undefined)
  const ends = new Map<number, string>()
  const exact: ExactColumn[] = []
  for (const [part, column] of output.entries()) {
    if (!isStar(column)) {
      if (column.codec?.isInteger === true) {
        exact.push({ part, name: undefined })
      }
      continue
    }
    if (hasEnds && part < lastStar) {
      ends.set(part, `:${part}`)
    }
    if (hasEnds || stars.length === 1) {
      for (const [name, codec] of column.source.decoded) {
        if (codec.isInteger) {
          exact.push({ part, name })
        }
      }
    }
  }
  return { ends, exact }
}

/** The query with what is to be added to what it yields. */
export function addSelections<T extends RootOperationNode>(query: T, additions: Additions): T {
  if (additions.ends.size === 0 && additions.exact.length === 0) {
    return query
  }
  const output = ownOutputOf(query) ?? []
  const selections = [
    ...withEnds(output, additions.ends),
    ...additions.exact.map((column) =>
      selectExactly(column, output[column.part], !SelectQueryNode.is(query)),
    ),
  ]
  if (!SelectQueryNode.is(query)) {
    return { ...query, returning: { kind: 'ReturningNode', selections } }
  }
  const setOperations = query.setOperations?.map((operation): SetOperationNode => ({
    ...operation,
    expression: addSelections(operation.expression as RootOperationNode, additions),
  }))
  return { ...query, selections, ...(setOperations && { setOperations }) }
}

function withEnds(output: Output, ends: Additions['ends']): SelectionNode[] {
  const selections: SelectionNode[] = []
  for (const [i, part] of output.entries()) {
    const { selection } = part
    if (isStar(part) && ends.size > 0 && SelectAllNode.is(part.selection.selection)) {
      selections.push(starOf(part))
    } else if (selection !== undefined && selection !== selections.at(-1)) {
      selections.push(selection)
    }
    const end = ends.get(i)
    if (end !== undefined) {
      selections.push(selectAs(RawNode.createWithSql('0'), end))
    }
  }
  return selections
}

function starOf({ source }: OutputStar): SelectionNode {
  return SelectionNode.create(ReferenceNode.createSelectAll(TableNode.create(source.name ?? '')))
}

function selectExactly(
  { name, part }: ExactColumn,
  output: OutputColumn | OutputStar | undefined,
  isReturning: boolean,
): SelectionNode {
  if (output === undefined || isStar(output) !== (name !== undefined)) {
    throw new DurableObjectSqliteError(
      'ERR_COLUMN_VALUE',
      'The selects of a union yield an int64() column in different ways, by * and by its name, so ' +
        'that it cannot be read exactly. Name the columns in all of them.',
    )
  }
  return selectAs(
    castToText(
      isStar(output)
        ? // `returning` knows no aliases.
          referenceTo(isReturning ? undefined : output.source.name, name!)
        : output.node,
    ),
    `:${part} ${name ?? ''}`,
  )
}
