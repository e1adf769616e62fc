import {
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  TableNode,
  UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'

/**
 * The column that a value of the query is stored in or compared with, as an error calls it
 * (`person.born`). Undefined where the query does not tell. For errors alone: it reads all nodes.
 */
export function columnOfValue(query: unknown, value: unknown): string | undefined {
  // One that was compiled elsewhere may have no node.
  return isOperationNode(query) ? find(query, value, undefined) : undefined
}

function find(node: OperationNode, value: unknown, table: string | undefined): string | undefined {
  if (InsertQueryNode.is(node)) {
    const into = tableName(node.into)
    return findInRows(node, value, into) ?? findInChildren(node, value, into)
  }
  if (UpdateQueryNode.is(node)) {
    return findInChildren(node, value, tableName(node.table))
  }
  if (ColumnUpdateNode.is(node) && isOrHolds(node.value, value)) {
    return columnName(node.column, table)
  }
  if (BinaryOperationNode.is(node) && isOrHolds(node.rightOperand, value)) {
    return columnName(node.leftOperand, table)
  }
  return findInChildren(node, value, table)
}

function findInRows(
  { columns, values }: InsertQueryNode,
  value: unknown,
  table: string | undefined,
): string | undefined {
  if (columns === undefined || values === undefined || !ValuesNode.is(values)) {
    return undefined
  }
  for (const row of values.values) {
    const index = PrimitiveValueListNode.is(row)
      ? row.values.findIndex((cell) => Object.is(cell, value))
      : row.values.findIndex((cell) => isOrHolds(cell, value))
    const column = columns[index]
    if (column !== undefined) {
      return columnName(column, table)
    }
  }
  return undefined
}

function findInChildren(
  node: OperationNode,
  value: unknown,
  table: string | undefined,
): string | undefined {
  for (const child of Object.values(node).flat()) {
    const column = isOperationNode(child) ? find(child, value, table) : undefined
    if (column !== undefined) {
      return column
    }
  }
  return undefined
}

function isOrHolds(node: OperationNode, value: unknown): boolean {
  if (ValueNode.is(node)) {
    return Object.is(node.value, value)
  }
  if (PrimitiveValueListNode.is(node)) {
    return node.values.some((element) => Object.is(element, value))
  }
  if (RawNode.is(node)) {
    // `sql.val(value)` is one that is nothing but the value.
    return !node.sqlFragments.some(Boolean) && node.parameters.some((it) => isOrHolds(it, value))
  }
  return ValueListNode.is(node) && node.values.some((element) => isOrHolds(element, value))
}

function columnName(node: OperationNode, table: string | undefined): string | undefined {
  if (ColumnNode.is(node)) {
    const { name } = node.column
    return table === undefined ? name : `${table}.${name}`
  }
  return ReferenceNode.is(node)
    ? columnName(node.column, tableName(node.table) ?? table)
    : undefined
}

function tableName(node: OperationNode | undefined): string | undefined {
  return node !== undefined && TableNode.is(node) ? node.table.identifier.name : undefined
}

function isOperationNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && 'kind' in value
}
