import type { SqlStorageValue } from '../platform/storage.js'

/** A value that SQLite can store, as a codec may return it. */
export type StorableValue = string | number | bigint | Uint8Array | null

/** A stored value, as a codec gets it. NULL never reaches a codec. */
export type StoredValue = string | number | Uint8Array

/** Values that the dialect supplies if a query does not. */
export interface ColumnOptions<T> {
  /**
   * Returns the value for an insert that leaves the column out. Called once for each such row, at each
   * execution. Default: none, so that SQLite's own DEFAULT applies.
   */
  readonly default?: () => T | null
  /**
   * Returns the value for an update, or for the update of an upsert, that does not set the column. Called
   * once for each update, at each execution. Default: none.
   */
  readonly onUpdate?: () => T | null
}

/** How a codec reads and writes, and which others do it alike. */
export interface CodecParts<T> {
  readonly encode: (value: T) => StorableValue | ArrayBuffer
  /** `null` never gets here. */
  readonly decode: (value: Exclude<SqlStorageValue, null>) => T
  /** Codecs of one kind read alike. */
  readonly kind: unknown
  /** Whether values are exact 64-bit integers: `encode` gives bigints, and `decode` takes digits. */
  readonly isInteger?: boolean
}

/**
 * How the values of a column are written and read. `boolean()`, `codec()`, `date()`, `int64()` and
 * `json()` return one.
 *
 * ### Examples
 *
 * ```ts
 * import { type Codec, codec } from 'kysely-durable-sqlite/columns'
 *
 * const url: Codec<URL> = codec({
 *   encode: (value: URL) => value.href,
 *   decode: (stored) => new URL(String(stored)),
 * })
 * ```
 */
export class Codec<T> implements CodecParts<T>, ColumnOptions<T> {
  readonly encode: (value: T) => StorableValue | ArrayBuffer
  readonly decode: (value: Exclude<SqlStorageValue, null>) => T
  readonly kind: unknown
  readonly isInteger: boolean
  declare readonly default?: () => T | null
  declare readonly onUpdate?: () => T | null

  constructor(parts: CodecParts<T>, options: ColumnOptions<T> = {}) {
    this.encode = parts.encode
    this.decode = parts.decode
    this.kind = parts.kind
    this.isInteger = parts.isInteger ?? false
    Object.assign(this, functionsOf(options))
  }
}

/**
 * A column without a codec: what `column()` returns.
 *
 * ### Examples
 *
 * ```ts
 * import { column, type PlainColumn } from 'kysely-durable-sqlite/columns'
 *
 * const uuid: PlainColumn<string> = column({ default: () => crypto.randomUUID() })
 * ```
 */
export class PlainColumn<T> implements ColumnOptions<T> {
  /**
   * For TypeScript: a codec is none.
   *
   * @hidden
   */
  declare readonly encode?: never
  declare readonly default?: () => T | null
  declare readonly onUpdate?: () => T | null

  constructor(options: ColumnOptions<T>) {
    Object.assign(this, functionsOf(options))
  }
}

function functionsOf<T>({ default: byDefault, onUpdate }: ColumnOptions<T>): ColumnOptions<T> {
  return {
    ...(byDefault && { default: byDefault }),
    ...(onUpdate && { onUpdate }),
  }
}

/** Thrown by `encode` and `decode` for what they cannot take; the caller knows the column. */
export class RefusedValue extends Error {
  /** What was found, without the value itself. */
  readonly found: string
  readonly instead: string

  constructor(found: string, instead: string) {
    super(`${found}: ${instead}`)
    this.found = found
    this.instead = instead
  }
}

/** What a value is, for an error: never the value itself. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `text of ${value.length} ${value.length === 1 ? 'character' : 'characters'}`
    case 'number':
      return Number.isInteger(value) ? 'an integer' : 'a number that is no integer'
    case 'object':
      return value === null ? 'null' : describeObject(value)
    case 'undefined':
      return 'undefined'
    default:
      return `a ${typeof value}`
  }
}

function describeObject(value: object): string {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `a BLOB of ${value.byteLength} bytes`
  }
  if (Array.isArray(value)) {
    return 'an array'
  }
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== 'Object'
    ? `an object of the class ${name}`
    : 'an object'
}
