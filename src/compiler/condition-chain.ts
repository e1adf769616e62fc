import {
  AndNode,
  BinaryOperationNode,
  type OperationNode,
  OrNode,
  RawNode,
  UnaryOperationNode,
} from 'kysely'

/** How many terms `a and b and c …` has, or `a or b or c …`. */
export function countTerms(chain: AndNode | OrNode): number {
  let count = 1
  let node: OperationNode = chain
  while (node.kind === chain.kind) {
    const { left, right } = node as AndNode | OrNode
    count += right.kind === chain.kind ? countTerms(right as AndNode | OrNode) : 1
    node = left
  }
  return count
}

/** The terms of `a and b and c …`, or of `a or b or c …`, in the order in which they are written. */
export function termsOf(chain: AndNode | OrNode): OperationNode[] {
  const terms: OperationNode[] = []
  const pending: OperationNode[] = [chain]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === chain.kind) {
      const { left, right } = node as AndNode | OrNode
      pending.push(right, left)
    } else {
      terms.push(node)
    }
  }
  return terms
}

/**
 * The runs of an `and` chain that may be put in parentheses. A term that is written with an `or` of
 * its own and without parentheses stands alone: `a and b or c` is `(a and b) or c`, and has to stay so.
 */
export function splitAtOpenTerms(terms: readonly OperationNode[]): OperationNode[][] {
  const runs: OperationNode[][] = []
  let run: OperationNode[] | undefined
  for (const term of terms) {
    if (isOpen(term)) {
      runs.push([term])
      run = undefined
    } else if (run === undefined) {
      run = [term]
      runs.push(run)
    } else {
      run.push(term)
    }
  }
  return runs
}

const OR = /\bor\b/i

function isOpen(node: OperationNode): boolean {
  if (RawNode.is(node)) {
    return node.sqlFragments.some((fragment) => OR.test(fragment)) || node.parameters.some(isOpen)
  }
  if (BinaryOperationNode.is(node)) {
    return isOpen(node.leftOperand) || isOpen(node.rightOperand)
  }
  if (UnaryOperationNode.is(node)) {
    return isOpen(node.operand)
  }
  return OrNode.is(node)
}
