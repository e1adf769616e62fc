import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  TableNode,
  ValueNode,
} from 'kysely'
import { Gap } from '../statement/late-value.js'

/** The same node with its children mapped, or the node itself if none became another. */
export function mapChildren<T extends OperationNode>(
  node: T,
  map: (child: OperationNode) => OperationNode,
): T {
  const properties = node as Readonly<Record<string, unknown>> & T
  let copy: Record<string, unknown> | undefined
  // Nodes are plain objects. Object.entries() takes several times as long.
  for (const key in properties) {
    const child = properties[key]
    const mapped = mapChild(child, map)
    if (mapped !== child) {
      copy ??= { ...properties }
      copy[key] = mapped
    }
  }
  return (copy as T | undefined) ?? node
}

/** A copy of the node with some children of their own, and the others mapped. */
export function copyNode<T extends OperationNode>(
  node: T,
  own: { readonly [K in keyof T]?: T[K] | undefined },
  map: (child: OperationNode) => OperationNode,
): T {
  const properties = node as Readonly<Record<string, unknown>>
  const copy: Record<string, unknown> = {}
  for (const key in properties) {
    copy[key] = key in own ? own[key as keyof T] : mapChild(properties[key], map)
  }
  return copy as unknown as T
}

export function mapChild(child: unknown, map: (child: OperationNode) => OperationNode): unknown {
  if (!Array.isArray(child)) {
    return isOperationNode(child) ? map(child) : child
  }
  return mapList(child, (element) => (isOperationNode(element) ? map(element) : element))
}

/** The same list if no element became another. */
export function mapList<T>(
  list: readonly T[],
  map: (element: T, index: number) => T,
): readonly T[] {
  let copy: T[] | undefined
  for (let i = 0; i < list.length; i++) {
    const mapped = map(list[i]!, i)
    if (mapped !== list[i]) {
      copy ??= list.slice()
      copy[i] = mapped
    }
  }
  return copy ?? list
}

function isOperationNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && 'kind' in value
}

/** Nodes in which there are no other nodes, whatever their values look like. */
export function isLeaf({ kind }: OperationNode): boolean {
  switch (kind) {
    case 'ValueNode':
    case 'PrimitiveValueListNode':
    case 'IdentifierNode':
    case 'OperatorNode':
    case 'ColumnNode':
    case 'ReferenceNode':
    case 'TableNode':
    case 'SelectAllNode':
      return true
    default:
      return false
  }
}

/** The gap that the node is, in any of the forms that a prepared query gives it. */
export function gapOf(node: OperationNode): Gap | undefined {
  if (ValueNode.is(node)) {
    return node.value instanceof Gap ? node.value : undefined
  }
  const [parameter] = RawNode.is(node) ? node.parameters : []
  const gap = parameter && gapOf(parameter)
  const form = gap?.toOperationNode()
  return form !== undefined && RawNode.is(form) && isSameText(form, node as RawNode)
    ? gap
    : undefined
}

function isSameText(node: RawNode, { sqlFragments }: RawNode): boolean {
  return (
    node.sqlFragments.length === sqlFragments.length &&
    node.sqlFragments.every((fragment, i) => fragment === sqlFragments[i])
  )
}

/** The name of the column that a `ColumnNode` or a reference to one stands for. */
export function columnNameOf(node: OperationNode): string | undefined {
  if (ColumnNode.is(node)) {
    return node.column.name
  }
  return ReferenceNode.is(node) ? columnNameOf(node.column) : undefined
}

/** The name that a selection gives its column. */
export function nameOfSelection(node: OperationNode): string | undefined {
  if (AliasNode.is(node)) {
    return IdentifierNode.is(node.alias) ? node.alias.name : undefined
  }
  return columnNameOf(node)
}

export function withoutAlias(node: OperationNode): OperationNode {
  return AliasNode.is(node) ? node.node : node
}

export function referenceTo(table: string | undefined, column: string): ReferenceNode {
  return ReferenceNode.create(
    ColumnNode.create(column),
    table === undefined ? undefined : TableNode.create(table),
  )
}

/** The value as text, which SQLite does not round. */
export function castToText(node: OperationNode): RawNode {
  return RawNode.create(['cast(', ' as text)'], [node])
}

/** `… as name`, as a selection. */
export function selectAs(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)))
}
