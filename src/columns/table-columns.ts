import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorageValue } from '../platform/storage.js'
import { Codec, describe, type PlainColumn, RefusedValue } from './codec.js'

/** How one value is written and read. */
export interface ValueCodec {
  /** Undefined for what is only read. */
  readonly encode?: (value: unknown) => unknown
  readonly decode: (value: Exclude<SqlStorageValue, null>) => unknown
  /** Whether SQLite has to give the value as text, lest it be rounded. */
  readonly isInteger: boolean
  /** Whether a value of the other one is read alike. */
  isLike(other: ValueCodec): boolean
}

/** The codec of one column, with errors that name it. */
export class ColumnCodec implements ValueCodec {
  readonly #name: string
  readonly #codec: Codec<unknown>

  /** @param name How errors call it: `person.active`. */
  constructor(name: string, codec: Codec<unknown>) {
    this.#name = name
    this.#codec = codec
  }

  get isInteger(): boolean {
    return this.#codec.isInteger
  }

  isLike(other: ValueCodec): boolean {
    return other instanceof ColumnCodec && other.#codec.kind === this.#codec.kind
  }

  /** What to bind for a value. NULL is never the codec's business. */
  readonly encode = (value: unknown): unknown => {
    if (value === null || value === undefined) {
      return null
    }
    try {
      return this.#codec.encode(value)
    } catch (error) {
      const { found, instead } = toRefused(error, value, 'The codec refused it; see the cause')
      throw new DurableObjectSqliteError(
        'ERR_UNSUPPORTED_PARAMETER',
        `A value for ${this.#name} is ${found}. ${instead}.`,
        causeOf(error),
      )
    }
  }

  readonly decode = (value: Exclude<SqlStorageValue, null>): unknown => {
    try {
      return this.#codec.decode(value)
    } catch (error) {
      const { found, instead } = toRefused(error, value, 'the codec refused it; see the cause')
      throw new DurableObjectSqliteError(
        'ERR_COLUMN_VALUE',
        `${this.#name} holds ${found}; ${instead}. Select it as raw SQL to see it as it is, and ` +
          'correct it by an update.',
        causeOf(error),
      )
    }
  }
}

function toRefused(error: unknown, value: unknown, instead: string): RefusedValue {
  return error instanceof RefusedValue ? error : new RefusedValue(describe(value), instead)
}

/** What a codec of the user's threw. */
function causeOf(error: unknown): ErrorOptions {
  return error instanceof RefusedValue ? {} : { cause: error }
}

/** A column of a table that has a codec, a default or an `onUpdate`. */
export interface Column {
  readonly name: string
  readonly codec: ColumnCodec | undefined
  readonly default: (() => unknown) | undefined
  readonly onUpdate: (() => unknown) | undefined
}

/** The columns of a table that have something to them. */
export class TableColumns {
  readonly name: string
  /** By key, see {@link keyOf}. */
  readonly #columns = new Map<string, Column>()
  /** The columns that have codecs, by name. */
  readonly decoded: readonly (readonly [name: string, codec: ColumnCodec])[]
  readonly withDefault: readonly Column[]
  readonly withOnUpdate: readonly Column[]
  /** The names of all its columns, in order, where they are known. */
  readonly allNames: readonly string[] | undefined

  constructor(
    name: string,
    columns: Readonly<Record<string, Codec<never> | PlainColumn<unknown>>>,
    allNames?: readonly string[],
  ) {
    this.name = name
    this.allNames = allNames
    for (const [columnName, column] of Object.entries(columns)) {
      const label = `${name}.${columnName}`
      this.#columns.set(keyOf(columnName), {
        name: columnName,
        // The values that a codec meets are of its type as far as TypeScript can tell.
        codec:
          column instanceof Codec
            ? new ColumnCodec(label, column as unknown as Codec<unknown>)
            : undefined,
        default: column.default,
        onUpdate: column.onUpdate,
      })
    }
    const all = [...this.#columns.values()]
    this.decoded = all.flatMap(({ name, codec }) => (codec === undefined ? [] : [[name, codec]]))
    this.withDefault = all.filter((column) => column.default !== undefined)
    this.withOnUpdate = all.filter((column) => column.onUpdate !== undefined)
  }

  column(name: string): Column | undefined {
    return this.#columns.get(keyOf(name))
  }
}

/** SQLite's names differ by more than the case of ASCII letters. */
export function keyOf(name: string): string {
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name
}

export type Tables = ReadonlyMap<string, TableColumns>
