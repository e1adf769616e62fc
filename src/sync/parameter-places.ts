import { BinaryOperationNode, type OperationNode } from 'kysely'
import { isInOperator } from '../compiler/in-operator.js'
import { QueryParameter } from './query-parameter.js'

/** The names of the parameters that are the whole right side of an `in` or `not in`, and of others. */
export interface ParameterPlaces {
  readonly inLists: Set<string>
  readonly elsewhere: Set<string>
}

/** Finds where the parameters of a query are used. */
export function findParameterPlaces(node: OperationNode): ParameterPlaces {
  const places: ParameterPlaces = { inLists: new Set(), elsewhere: new Set() }
  visit(node, places)
  return places
}

function visit(value: unknown, places: ParameterPlaces): void {
  if (Array.isArray(value)) {
    for (const element of value) {
      visit(element, places)
    }
  } else if (isOperationNode(value)) {
    visitNode(value, places)
  }
}

function visitNode(node: OperationNode, places: ParameterPlaces): void {
  const parameter = QueryParameter.of(node)
  if (parameter !== undefined) {
    places.elsewhere.add(parameter.name)
  } else if (BinaryOperationNode.is(node) && isInOperator(node.operator)) {
    const list = QueryParameter.of(node.rightOperand)
    visit(node.leftOperand, places)
    if (list === undefined) {
      visit(node.rightOperand, places)
    } else {
      places.inLists.add(list.name)
    }
  } else {
    for (const child of Object.values(node)) {
      visit(child, places)
    }
  }
}

function isOperationNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && 'kind' in value
}
