import type { OperationNode } from 'kysely'

/** Stands in a query for a value that is not known when the query is compiled. */
export abstract class LateValue {
  /** What an error says where such a value was bound as it is, and what to do instead. */
  abstract readonly refusal: readonly [what: string, instead: string]
}

/** A value that whoever runs the query fills in. */
export abstract class Gap extends LateValue {
  /** The node that stands for it. */
  abstract toOperationNode(): OperationNode

  /** The node for a gap of the same name whose values pass through the function. */
  abstract encodedBy(encode: (value: unknown) => unknown, isInteger: boolean): OperationNode
}
