import type { OperationNode, SelectionNode } from 'kysely'
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
