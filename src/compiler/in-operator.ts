import { type OperationNode, OperatorNode } from 'kysely'

/** Whether the operator is `in` or `not in`. */
export function isInOperator(node: OperationNode): boolean {
  return OperatorNode.is(node) && (node.operator === 'in' || node.operator === 'not in')
}
