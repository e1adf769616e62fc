import { AliasNode, type OperationNode, RawNode, type SelectionNode, ValueNode } from 'kysely'
import { referenceTo } from './nodes.js'
import { keyOf, type TableColumns, type ValueCodec } from './table-columns.js'

/** Something in `from` that has columns. */
export interface Source {
  /** Undefined for raw SQL that was given no name. */
  readonly name: string | undefined
  /** Two sources with the same identity have the same columns. */
  readonly identity: unknown
  /** The codec of the column. */
  codec(column: string): ValueCodec | undefined
  /** The columns that have codecs, by name. */
  readonly decoded: readonly (readonly [name: string, codec: ValueCodec])[]
  /** The names of its columns, in order, if they can be told. */
  names(): readonly string[] | undefined
  /** Whether it has the column, if that can be told. */
  has(column: string): boolean | undefined
}

/** One column of a select. */
export interface OutputColumn {
  readonly name: string | undefined
  readonly codec: ValueCodec | undefined
  /** What is selected, without an alias. */
  readonly node: OperationNode
  /** Undefined for one that was found behind a star. */
  readonly selection?: SelectionNode
}

/** All columns of a source: `person.*`. */
export interface OutputStar {
  readonly source: Source
  /** `*` alone is the selection of all the stars that it stands for. */
  readonly selection: SelectionNode
}

/** What a select, or `returning`, yields, in order. */
export type Output = readonly (OutputColumn | OutputStar)[]

export function isStar(part: OutputColumn | OutputStar): part is OutputStar {
  return 'source' in part
}

export function hasCodecs(output: Output): boolean {
  return output.some((part) =>
    isStar(part) ? part.source.decoded.length > 0 : part.codec !== undefined,
  )
}

/** A source of which nothing is known: raw SQL, a table function. */
export class UnknownSource implements Source {
  readonly identity = this
  readonly decoded = []
  readonly name: string | undefined

  constructor(name: string | undefined) {
    this.name = name
  }

  codec(): undefined {}

  names(): undefined {}

  has(): undefined {}
}

/** A table or a view of the database. */
export class TableSource implements Source {
  readonly name: string
  readonly #table: TableColumns | undefined
  readonly #tableName: string
  readonly #columnsOf: (table: string) => readonly string[] | undefined

  constructor(
    name: string,
    tableName: string,
    table: TableColumns | undefined,
    columnsOf: (table: string) => readonly string[] | undefined,
  ) {
    this.name = name
    this.#table = table
    this.#tableName = tableName
    this.#columnsOf = columnsOf
  }

  get identity(): string {
    return `table ${keyOf(this.#tableName)}`
  }

  codec(column: string): ValueCodec | undefined {
    return this.#table?.column(column)?.codec
  }

  get decoded(): readonly (readonly [string, ValueCodec])[] {
    return this.#table?.decoded ?? []
  }

  names(): readonly string[] | undefined {
    return this.#table?.allNames ?? this.#columnsOf(this.#tableName)
  }

  has(column: string): boolean | undefined {
    return hasName(this.names(), column)
  }
}

/** A sub-select or a common table expression. */
export class DerivedSource implements Source {
  readonly name: string | undefined
  readonly identity: unknown
  readonly #output: Output

  constructor(name: string | undefined, output: Output) {
    this.name = name
    this.identity = output
    this.#output = output
  }

  /** That of the first column of the name, which is the one that SQLite means. */
  codec(column: string): ValueCodec | undefined {
    const key = keyOf(column)
    const uncertain: Source[] = []
    for (const part of this.#output) {
      if (!isStar(part)) {
        if (part.name !== undefined && keyOf(part.name) === key) {
          return part.codec && isWithout(uncertain, column) ? part.codec : undefined
        }
        continue
      }
      const codec = part.source.codec(column)
      if (codec !== undefined) {
        return isWithout(uncertain, column) ? codec : undefined
      }
      uncertain.push(part.source)
    }
    return undefined
  }

  get decoded(): readonly (readonly [string, ValueCodec])[] {
    const names = this.#output.flatMap((part) =>
      isStar(part) ? part.source.decoded.map(([name]) => name) : (part.name ?? []),
    )
    return [...new Set(names)].flatMap((name) => {
      const codec = this.codec(name)
      return codec === undefined ? [] : [[name, codec] as const]
    })
  }

  names(): readonly string[] | undefined {
    const names = expand(this.#output)?.flatMap(({ name }) => name ?? [])
    // SQLite gives a second column of one name another.
    return names !== undefined &&
      names.length >= this.#output.length &&
      new Set(names.map(keyOf)).size === names.length
      ? names
      : undefined
  }

  has(column: string): boolean | undefined {
    return hasName(this.names(), column)
  }
}

function isWithout(sources: readonly Source[], column: string): boolean {
  return sources.every((source) => source.has(column) === false)
}

function hasName(names: readonly string[] | undefined, column: string): boolean | undefined {
  return names?.some((name) => keyOf(name) === keyOf(column))
}

/** The output column by column, if what each star stands for can be told. */
export function expand(output: Output): readonly OutputColumn[] | undefined {
  const columns: OutputColumn[] = []
  for (const part of output) {
    if (!isStar(part)) {
      columns.push(part)
      continue
    }
    const { source } = part
    const names = source.names()
    if (names === undefined) {
      return undefined
    }
    columns.push(...names.map((name) => columnOf(source, name)))
  }
  return columns
}

/** A column of a source, as an output of its own. */
function columnOf(source: Source, name: string): OutputColumn {
  return { name, codec: source.codec(name), node: referenceTo(source.name, name) }
}

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
