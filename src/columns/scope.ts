import type { Output, Source } from './output.js'
import { keyOf, type ValueCodec } from './table-columns.js'

/** What names mean at a place of a query. */
export class Scope {
  static readonly empty = new Scope(undefined, new Map(), [])

  readonly sources: readonly Source[]
  readonly #parent: Scope | undefined
  /** The common table expressions, by key. */
  readonly #expressions: ReadonlyMap<string, Output>

  private constructor(
    parent: Scope | undefined,
    expressions: ReadonlyMap<string, Output>,
    sources: readonly Source[],
  ) {
    this.#parent = parent
    this.#expressions = expressions
    this.sources = sources
  }

  /** The scope with one more common table expression. */
  withExpression(name: string, output: Output): Scope {
    const expressions = new Map(this.#expressions).set(keyOf(name), output)
    return new Scope(this.#parent, expressions, this.sources)
  }

  /** The scope within a select from these sources. */
  within(sources: readonly Source[]): Scope {
    return new Scope(this, this.#expressions, sources)
  }

  expression(name: string): Output | undefined {
    return this.#expressions.get(keyOf(name))
  }

  /** The codec of a column, by the innermost source that has it. */
  codec(table: string | undefined, column: string): ValueCodec | undefined {
    if (table !== undefined) {
      const source = this.#source(table)
      return source?.codec(column)
    }
    for (const source of this.sources) {
      const codec = source.codec(column)
      // If another had it too, SQLite would call it ambiguous.
      if (codec !== undefined) {
        return codec
      }
    }
    return this.#parent?.mayMean(column) === true &&
      this.sources.every((source) => source.has(column) === false)
      ? this.#parent.codec(undefined, column)
      : undefined
  }

  /** Whether the name might be that of a column with a codec. */
  private mayMean(column: string): boolean {
    return (
      this.sources.some((source) => source.codec(column) !== undefined) ||
      this.#parent?.mayMean(column) === true
    )
  }

  #source(table: string): Source | undefined {
    const key = keyOf(table)
    const source = this.sources.find(({ name }) => name !== undefined && keyOf(name) === key)
    return source === undefined && this.#parent !== undefined ? this.#parent.#source(table) : source
  }
}
