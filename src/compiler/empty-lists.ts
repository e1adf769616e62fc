import { type OperationNode, ValuesNode, type InsertQueryNode } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'

/**
 * What is wrong with a node that has an empty list, and what to write instead. SQLite would say
 * `near ")": syntax error`. It takes an empty list behind `in`, and arguments may be none.
 */
const EMPTY: { readonly [kind in OperationNode['kind']]?: string } = {
  CreateTableNode: 'A table has no columns. Call addColumn() before it is created.',
  CreateIndexNode: 'An index has no columns. Name them with column(), columns() or expression().',
  GroupByNode: 'A group by has no columns. Leave groupBy() out where there are none.',
  InsertQueryNode:
    'An insert names no columns, since its rows or columns() are empty. For a row of defaults write ' +
    'defaultValues().',
  OnConflictNode:
    'An on conflict names no columns, or sets none. Leave columns() out for a conflict of any, and ' +
    'write doNothing() to set none.',
  OrderByNode: 'An order by has no terms. Leave orderBy() out where there are none.',
  PartitionByNode: 'A partition by has no columns. Leave partitionBy() out where there are none.',
  ReturningNode: 'A returning names no columns. Leave returning() out where there are none.',
  SelectQueryNode: 'A query selects nothing. Call selectAll(), or select() with columns.',
  TupleNode: 'A tuple has no values. Write two or more.',
  UpdateQueryNode: 'An update sets nothing. Call set() with a value, or do not send the query.',
  ValuesNode: 'An insert has no rows. Pass one row to values() at least, or do not send the query.',
}

/** Throws `ERR_EMPTY_LIST` where the node cannot do without what is empty. */
export function refuseEmptyList(node: OperationNode | undefined): void {
  const { kind } = (isInsertOfNoRows(node) ? node.values : node) ?? {}
  const message = kind && EMPTY[kind]
  if (message !== undefined) {
    throw new DurableObjectSqliteError('ERR_EMPTY_LIST', message)
  }
}

/** Kysely finds the columns of an insert in its rows, so that both are empty. */
function isInsertOfNoRows(node: OperationNode | undefined): node is InsertQueryNode {
  const { values } = node as InsertQueryNode
  return values !== undefined && ValuesNode.is(values) && values.values.length === 0
}
