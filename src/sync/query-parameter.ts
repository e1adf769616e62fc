import { RawNode, ValueNode, type AliasableExpression, type OperationNode } from 'kysely'
import { Gap } from '../statement/late-value.js'

/**
 * The function that {@link SyncExecutor.prepare} passes to the callback that builds the query. It
 * returns an expression that stands for the parameter of that name. A parameter whose type is an array
 * is the list of an `in` or `not in`.
 */
export type QueryParameters<P> = <K extends keyof P & string>(
  name: K,
) => AliasableExpression<ElementOf<P[K]>>

type ElementOf<T> = T extends readonly (infer E)[] ? E : T

/**
 * How a parameter travels: as it is, an exact 64-bit integer as its digits, a list as a JSON array.
 */
export type ParameterKind = 'scalar' | 'integer' | 'list'

/** Stands for a value in a query that is compiled before its values are known. */
export class QueryParameter extends Gap {
  /** The parameter that this node, the value of one of {@link toOperationNode}, stands for. */
  static of(node: OperationNode): QueryParameter | undefined {
    return ValueNode.is(node) && node.value instanceof QueryParameter ? node.value : undefined
  }

  readonly refusal = [
    'a parameter of a prepared query',
    'Prepare the query with sync.prepare()',
  ] as const
  readonly name: string
  readonly kind: ParameterKind
  /** What the values become before they are bound, by the column that they meet. */
  readonly encode: ((value: unknown) => unknown) | undefined

  constructor(name: string, kind: ParameterKind, encode?: (value: unknown) => unknown) {
    super()
    this.name = name
    this.kind = kind
    this.encode = encode
  }

  encodedBy(encode: (value: unknown) => unknown, isInteger: boolean): OperationNode {
    const kind = this.kind === 'list' ? 'list' : isInteger ? 'integer' : 'scalar'
    return new QueryParameter(this.name, kind, encode).toOperationNode()
  }

  toOperationNode(): OperationNode {
    const value = ValueNode.create(this)
    switch (this.kind) {
      case 'scalar':
        return value
      case 'integer':
        return RawNode.create(['+cast(', ' as integer)'], [value])
      case 'list':
        return RawNode.create(['(select +value from json_each(', '))'], [value])
    }
  }
}
