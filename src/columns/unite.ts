import { AliasNode, type OperationNode, RawNode, ValueNode } from 'kysely'
import { expand, hasCodecs, isStar, type Output, type OutputColumn, type Source } from './output.js'

/**
 * What `first union other` yields: the names of the first, and the codecs that both have. Codecs are
 * dropped where the columns of both cannot be matched.
 */
export function unite(first: Output, other: Output): Output {
  if (isSameShape(first, other)) {
    return first.map((part, i) => {
      const counterpart = other[i]!
      return isStar(part) || isStar(counterpart) ? part : agreed(part, counterpart)
    })
  }
  if (!hasCodecs(first)) {
    return first
  }
  const columns = expand(first)
  const others = expand(other)
  return columns !== undefined && columns.length === others?.length
    ? columns.map((column, i) => agreed(column, others[i]!))
    : withoutCodecs(first)
}

function isSameShape(first: Output, other: Output): boolean {
  return (
    first.length === other.length &&
    first.every((part, i) => {
      const counterpart = other[i]!
      return isStar(part)
        ? isStar(counterpart) && counterpart.source.identity === part.source.identity
        : !isStar(counterpart)
    })
  )
}

function agreed(column: OutputColumn, other: OutputColumn): OutputColumn {
  if (isNull(column.node) || isNull(other.node)) {
    return { ...column, codec: column.codec ?? other.codec }
  }
  return column.codec !== undefined && other.codec?.isLike(column.codec) === true
    ? column
    : { ...column, codec: undefined }
}

function isNull(node: OperationNode): boolean {
  if (AliasNode.is(node)) {
    return isNull(node.node)
  }
  // `sql.lit(null)` is one that is nothing but the value.
  return RawNode.is(node)
    ? node.parameters.length === 1 &&
        !node.sqlFragments.some(Boolean) &&
        isNull(node.parameters[0]!)
    : ValueNode.is(node) && node.value === null
}

function withoutCodecs(output: Output): Output {
  return output.map((part) =>
    isStar(part)
      ? { ...part, source: new WithoutCodecs(part.source) }
      : { ...part, codec: undefined },
  )
}

class WithoutCodecs implements Source {
  readonly identity = this
  readonly decoded = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  get name(): string | undefined {
    return this.#source.name
  }

  codec(): undefined {}

  names(): readonly string[] | undefined {
    return this.#source.names()
  }

  has(column: string): boolean | undefined {
    return this.#source.has(column)
  }
}
