import {
  AggregateFunctionNode,
  AliasNode,
  CaseNode,
  ColumnNode,
  FunctionNode,
  type OperationNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import { gapOf } from './nodes.js'
import { isStar, type Output } from './output.js'
import type { Scope } from './scope.js'
import type { ValueCodec } from './table-columns.js'

/** Functions that return one of their arguments, and how many of them that may be. */
const RETURNED_ARGUMENTS: ReadonlyMap<string, (args: readonly OperationNode[]) => OperationNode[]> =
  new Map([
    ...['min', 'max', 'coalesce', 'ifnull'].map(
      (name) => [name, (args: readonly OperationNode[]) => [...args]] as const,
    ),
    ...['nullif', 'first_value', 'last_value', 'nth_value'].map(
      (name) => [name, (args: readonly OperationNode[]) => args.slice(0, 1)] as const,
    ),
    ...['lag', 'lead'].map(
      (name) => [name, (args: readonly OperationNode[]) => args.filter((_, i) => i !== 1)] as const,
    ),
  ])

/** What is known of the nodes that the analysis has made is kept with them: they are nobody else's. */
const OUTPUT = Symbol('output')
const OWN_OUTPUT = Symbol('own output')
const CODEC = Symbol('codec')
const IS_ENCODED = Symbol('is encoded')

interface Known {
  [OUTPUT]?: Output
  [OWN_OUTPUT]?: Output
  [CODEC]?: ValueCodec
  [IS_ENCODED]?: boolean
}

/** @param own What a select yields without those that it is united with. */
export function setOutput(query: OperationNode & Known, output: Output, own = output): void {
  query[OUTPUT] = output
  query[OWN_OUTPUT] = own
}

/** What an analyzed query yields. */
export function outputOf(query: OperationNode): Output | undefined {
  return (query as Known)[OUTPUT]
}

/** What an analyzed select yields without the selects that it is united with. */
export function ownOutputOf(query: OperationNode): Output | undefined {
  return (query as Known)[OWN_OUTPUT]
}

/** Says how the values of raw SQL are read. */
export function setCodec(node: OperationNode & Known, codec: ValueCodec): void {
  node[CODEC] = codec
}

/** The codec of the expression's values, by where they come from. Its children were analyzed already. */
export function codecOf(node: OperationNode, scope: Scope): ValueCodec | undefined {
  switch (node.kind) {
    case 'ReferenceNode': {
      const { table, column } = node as ReferenceNode
      return ColumnNode.is(column)
        ? scope.codec(table?.table.identifier.name, column.column.name)
        : undefined
    }
    case 'ColumnNode':
      return scope.codec(undefined, (node as ColumnNode).column.name)
    case 'AliasNode':
    case 'ParensNode':
      return codecOf((node as AliasNode | ParensNode).node, scope)
    case 'SelectQueryNode': {
      const [part] = outputOf(node) ?? []
      return part === undefined || isStar(part) ? undefined : part.codec
    }
    case 'RawNode':
      return (node as Known)[CODEC]
    case 'FunctionNode':
    case 'AggregateFunctionNode':
    case 'CaseNode':
      return agreedCodec(branchesOf(node), scope)
    default:
      return undefined
  }
}

/** The expression with the values in it encoded that are, or may be, its own. */
export function encode(node: OperationNode, codec: ValueCodec): OperationNode {
  const { encode: toStored } = codec
  if (toStored === undefined || (node as Known)[IS_ENCODED] === true) {
    return node
  }
  const gap = gapOf(node)
  if (gap !== undefined) {
    return asEncoded(gap.encodedBy(toStored, codec.isInteger))
  }
  switch (node.kind) {
    case 'ValueNode': {
      const { immediate, value } = node as ValueNode
      return immediate === true ? node : asEncoded(ValueNode.create(toStored(value)))
    }
    case 'PrimitiveValueListNode': {
      // An array that is one value: Kysely takes any for a list.
      const { values } = node as PrimitiveValueListNode
      return asEncoded(ValueNode.create(toStored(values)))
    }
    case 'ParensNode':
      return ParensNode.create(encode((node as ParensNode).node, codec))
    case 'AliasNode': {
      const { node: aliased } = node as AliasNode
      return { ...node, node: encode(aliased, codec) } as AliasNode
    }
    case 'FunctionNode':
    case 'AggregateFunctionNode':
    case 'CaseNode':
      return encodeBranches(node, codec)
    default:
      return node
  }
}

/** The right side of a comparison. */
export function encodeOperand(
  node: OperationNode,
  codec: ValueCodec,
  operator: string,
): OperationNode {
  switch (operator) {
    case 'in':
    case 'not in':
      return encodeList(node, codec)
    case 'is':
    case 'is not':
      return encodeLiteral(node, codec)
    default:
      return encode(node, codec)
  }
}

/** Behind `is`, Kysely writes `true` and `false` as literals, which are 1 and 0. */
function encodeLiteral(node: OperationNode, codec: ValueCodec): OperationNode {
  if (!ValueNode.is(node) || node.immediate !== true || typeof node.value !== 'boolean') {
    return encode(node, codec)
  }
  const encoded = codec.encode?.(node.value)
  return encoded === Number(node.value) ? node : ValueNode.create(encoded)
}

function encodeList(node: OperationNode, codec: ValueCodec): OperationNode {
  if (ValueListNode.is(node)) {
    return ValueListNode.create(node.values.map((value) => encode(value, codec)))
  }
  return PrimitiveValueListNode.is(node) && codec.encode !== undefined
    ? PrimitiveValueListNode.create(node.values.map(codec.encode))
    : encode(node, codec)
}

/** The expression with the values encoded that it may result in. */
export function encodeBranches(node: OperationNode, codec: ValueCodec): OperationNode {
  const branches = new Set(branchesOf(node))
  const encodeBranch = (child: OperationNode): OperationNode =>
    branches.has(child) ? encode(child, codec) : child
  if (CaseNode.is(node)) {
    return {
      ...node,
      ...(node.when && {
        when: node.when.map((when) =>
          when.result === undefined ? when : { ...when, result: encodeBranch(when.result) },
        ),
      }),
      ...(node.else && { else: encodeBranch(node.else) }),
    }
  }
  if (FunctionNode.is(node)) {
    const [first, ...others] = node.arguments.map(encodeBranch)
    // What `nullif` compares with is no result of it, and is of the same kind.
    return node.func.toLowerCase() === 'nullif'
      ? FunctionNode.create(node.func, [
          ...(first === undefined ? [] : [first]),
          ...others.map((other) => encode(other, codec)),
        ])
      : ({ ...node, arguments: node.arguments.map(encodeBranch) } as FunctionNode)
  }
  return AggregateFunctionNode.is(node)
    ? ({ ...node, aggregated: node.aggregated.map(encodeBranch) } as AggregateFunctionNode)
    : node
}

/** That of all branches, of which values take it on. */
function agreedCodec(branches: readonly OperationNode[], scope: Scope): ValueCodec | undefined {
  let agreed: ValueCodec | undefined
  for (const branch of branches) {
    if (isValue(branch)) {
      continue
    }
    const codec = codecOf(branch, scope)
    if (codec === undefined || agreed?.isLike(codec) === false) {
      return undefined
    }
    agreed ??= codec
  }
  return agreed !== undefined && branches.every((branch) => isReadBy(branch, agreed))
    ? agreed
    : undefined
}

function asEncoded<T extends OperationNode>(node: T): T {
  return { ...node, [IS_ENCODED]: true }
}

/** What an expression may result in. */
function branchesOf(node: OperationNode): readonly OperationNode[] {
  if (CaseNode.is(node)) {
    const { when = [], else: otherwise } = node
    return [...when.flatMap(({ result }) => result ?? []), ...(otherwise ? [otherwise] : [])]
  }
  if (FunctionNode.is(node)) {
    return RETURNED_ARGUMENTS.get(node.func.toLowerCase())?.(node.arguments) ?? []
  }
  return AggregateFunctionNode.is(node)
    ? (RETURNED_ARGUMENTS.get(node.func.toLowerCase())?.(node.aggregated) ?? [])
    : []
}

function isValue(node: OperationNode): boolean {
  return ParensNode.is(node) ? isValue(node.node) : ValueNode.is(node) || gapOf(node) !== undefined
}

/** Whether a literal is what the codec reads. Other values are encoded by it. */
function isReadBy(node: OperationNode, codec: ValueCodec): boolean {
  if (!ValueNode.is(node) || node.immediate !== true || node.value === null) {
    return !isValue(node) || codec.encode !== undefined
  }
  try {
    const { value } = node
    codec.decode(typeof value === 'boolean' ? Number(value) : (value as string | number))
    return true
  } catch {
    return false
  }
}

/** Whether the node is a list of tuples or a tuple. */
export function tuplesOf(node: OperationNode): readonly TupleNode[] | undefined {
  if (TupleNode.is(node)) {
    return [node]
  }
  if (ParensNode.is(node)) {
    return tuplesOf(node.node)
  }
  return ValueListNode.is(node) && node.values.length > 0 && node.values.every(TupleNode.is)
    ? node.values
    : undefined
}
