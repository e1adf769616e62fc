import {
  AggregateFunctionNode,
  AliasNode,
  CaseNode,
  ColumnNode,
  FunctionNode,
  type OperationNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
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
      (name) =>
        [name, (args: readonly OperationNode[]) => args.filter((_, i) => i !== 1)] as const,
    ),
  ])

/**
 * Knows of expressions what they are by the columns in them. Asked about nodes whose children were
 * analyzed already.
 */
export class Expressions {
  /** What selects yield. */
  readonly #outputs = new WeakMap<OperationNode, Output>()
  readonly #ownOutputs = new WeakMap<OperationNode, Output>()
  /** Of raw nodes. */
  readonly #codecs = new WeakMap<OperationNode, ValueCodec>()
  readonly #encoded = new WeakSet<OperationNode>()

  /** @param own What a select yields without those that it is united with. */
  setOutput(query: OperationNode, output: Output, own = output): void {
    this.#outputs.set(query, output)
    this.#ownOutputs.set(query, own)
  }

  ownOutputOf(query: OperationNode): Output | undefined {
    return this.#ownOutputs.get(query)
  }

  outputOf(select: OperationNode): Output | undefined {
    return this.#outputs.get(select)
  }

  setCodec(node: RawNode, codec: ValueCodec): void {
    this.#codecs.set(node, codec)
  }

  /** The codec of the expression's values, by where they come from. */
  codecOf(node: OperationNode, scope: Scope): ValueCodec | undefined {
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
        return this.codecOf((node as AliasNode | ParensNode).node, scope)
      case 'SelectQueryNode': {
        const [part] = this.#outputs.get(node) ?? []
        return part === undefined || isStar(part) ? undefined : part.codec
      }
      case 'RawNode':
        return this.#codecs.get(node)
      case 'FunctionNode':
      case 'AggregateFunctionNode':
      case 'CaseNode':
        return this.#agreedCodec(branchesOf(node), scope)
      default:
        return undefined
    }
  }

  /** The expression with the values in it encoded that are, or may be, its own. */
  encode(node: OperationNode, codec: ValueCodec): OperationNode {
    const { encode } = codec
    if (encode === undefined || this.#encoded.has(node)) {
      return node
    }
    const gap = gapOf(node)
    if (gap !== undefined) {
      return this.#asEncoded(gap.encodedBy(encode, codec.isInteger))
    }
    switch (node.kind) {
      case 'ValueNode': {
        const { immediate, value } = node as ValueNode
        return immediate === true ? node : this.#asEncoded(ValueNode.create(encode(value)))
      }
      case 'PrimitiveValueListNode': {
        // An array that is one value: Kysely takes any for a list.
        const { values } = node as PrimitiveValueListNode
        return this.#asEncoded(ValueNode.create(encode(values)))
      }
      case 'ParensNode':
        return ParensNode.create(this.encode((node as ParensNode).node, codec))
      case 'AliasNode': {
        const { node: aliased } = node as AliasNode
        return { ...node, node: this.encode(aliased, codec) } as AliasNode
      }
      case 'FunctionNode':
      case 'AggregateFunctionNode':
      case 'CaseNode':
        return this.encodeBranches(node, codec)
      default:
        return node
    }
  }

  /** The right side of a comparison. */
  encodeOperand(node: OperationNode, codec: ValueCodec, operator: string): OperationNode {
    switch (operator) {
      case 'in':
      case 'not in':
        return this.#encodeList(node, codec)
      case 'is':
      case 'is not':
        return this.#encodeLiteral(node, codec)
      default:
        return this.encode(node, codec)
    }
  }

  /** Behind `is`, Kysely writes `true` and `false` as literals, which are 1 and 0. */
  #encodeLiteral(node: OperationNode, codec: ValueCodec): OperationNode {
    if (!ValueNode.is(node) || node.immediate !== true || typeof node.value !== 'boolean') {
      return this.encode(node, codec)
    }
    const encoded = codec.encode?.(node.value)
    return encoded === Number(node.value) ? node : ValueNode.create(encoded)
  }

  #encodeList(node: OperationNode, codec: ValueCodec): OperationNode {
    if (ValueListNode.is(node)) {
      return ValueListNode.create(node.values.map((value) => this.encode(value, codec)))
    }
    return PrimitiveValueListNode.is(node) && codec.encode !== undefined
      ? PrimitiveValueListNode.create(node.values.map(codec.encode))
      : this.encode(node, codec)
  }

  /** The expression with the values encoded that it may result in. */
  encodeBranches(node: OperationNode, codec: ValueCodec): OperationNode {
    const branches = new Set(branchesOf(node))
    const encode = (child: OperationNode): OperationNode =>
      branches.has(child) ? this.encode(child, codec) : child
    if (CaseNode.is(node)) {
      return {
        ...node,
        ...(node.when && {
          when: node.when.map((when) =>
            when.result === undefined ? when : { ...when, result: encode(when.result) },
          ),
        }),
        ...(node.else && { else: encode(node.else) }),
      } as CaseNode
    }
    if (FunctionNode.is(node)) {
      const [first, ...others] = node.arguments.map(encode)
      // What `nullif` compares with is no result of it, and is of the same kind.
      return node.func.toLowerCase() === 'nullif'
        ? FunctionNode.create(node.func, [
            ...(first === undefined ? [] : [first]),
            ...others.map((other) => this.encode(other, codec)),
          ])
        : { ...node, arguments: node.arguments.map(encode) } as FunctionNode
    }
    return AggregateFunctionNode.is(node)
      ? ({ ...node, aggregated: node.aggregated.map(encode) } as AggregateFunctionNode)
      : node
  }

  /** That of all branches, of which values take it on. */
  #agreedCodec(branches: readonly OperationNode[], scope: Scope): ValueCodec | undefined {
    let agreed: ValueCodec | undefined
    for (const branch of branches) {
      if (isValue(branch)) {
        continue
      }
      const codec = this.codecOf(branch, scope)
      if (codec === undefined || agreed?.isLike(codec) === false) {
        return undefined
      }
      agreed ??= codec
    }
    return agreed !== undefined && branches.every((branch) => isReadBy(branch, agreed))
      ? agreed
      : undefined
  }

  #asEncoded<T extends OperationNode>(node: T): T {
    this.#encoded.add(node)
    return node
  }
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
