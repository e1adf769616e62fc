import {
  AndNode,
  type BinaryOperationNode,
  type CaseNode,
  type OperationNode,
  OperatorNode,
  TupleNode,
  ValueListNode,
} from 'kysely'
import { codecOf, encode, encodeBranches, encodeOperand, tuplesOf } from './expressions.js'
import { mapChildren } from './nodes.js'
import type { Scope } from './scope.js'

/** Where the two sides are values of one column. */
const COMPARISONS: ReadonlySet<string> = new Set([
  '=',
  '==',
  '!=',
  '<>',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not in',
  'is',
  'is not',
  'is distinct from',
  'is not distinct from',
  'between',
  'between symmetric',
])

/** The comparison with the values encoded that are compared with a column. */
export function encodeComparison(node: BinaryOperationNode, scope: Scope): BinaryOperationNode {
  const { leftOperand, operator, rightOperand } = node
  if (!OperatorNode.is(operator) || !COMPARISONS.has(operator.operator)) {
    return node
  }
  const left = tuplesOf(leftOperand)?.[0]
  if (left !== undefined) {
    return { ...node, rightOperand: encodeTuples(rightOperand, left, scope) }
  }
  const [encodedRight, encodedLeft] = encodeOperands(
    leftOperand,
    rightOperand,
    scope,
    operator.operator,
  )
  return { ...node, leftOperand: encodedLeft, rightOperand: encodedRight }
}

/** Either side by the codec of the other. */
function encodeOperands(
  left: OperationNode,
  right: OperationNode,
  scope: Scope,
  operator = '=',
): [right: OperationNode, left: OperationNode] {
  const codec = codecOf(left, scope)
  if (codec !== undefined) {
    // The right side of `between`.
    return AndNode.is(right)
      ? [AndNode.create(encode(right.left, codec), encode(right.right, codec)), left]
      : [encodeOperand(right, codec, operator), left]
  }
  const other = codecOf(AndNode.is(right) ? right.left : right, scope)
  return [right, other === undefined ? left : encode(left, other)]
}

function encodeTuples(node: OperationNode, left: TupleNode, scope: Scope): OperationNode {
  if (TupleNode.is(node)) {
    return TupleNode.create(
      node.values.map((value, i) => {
        const operand = left.values[i]
        return operand === undefined ? value : encodeOperands(operand, value, scope)[0]
      }),
    )
  }
  if (tuplesOf(node) === undefined) {
    return node
  }
  return ValueListNode.is(node)
    ? ValueListNode.create(node.values.map((tuple) => encodeTuples(tuple, left, scope)))
    : mapChildren(node, (child) => encodeTuples(child, left, scope))
}

/** The `case` with the values encoded that a column is compared with, or that stand beside one. */
export function encodeCase(node: CaseNode, scope: Scope): OperationNode {
  const codec = node.value && codecOf(node.value, scope)
  return encodeResults(
    codec === undefined || node.when === undefined
      ? node
      : ({
          ...node,
          when: node.when.map((when) => ({ ...when, condition: encode(when.condition, codec) })),
        } as CaseNode),
    scope,
  )
}

/** The function with the values encoded that it may return instead of those of a column. */
export function encodeResults(node: OperationNode, scope: Scope): OperationNode {
  const codec = codecOf(node, scope)
  return codec === undefined ? node : encodeBranches(node, codec)
}
