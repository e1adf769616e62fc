import { readValue } from '../statement/rows.js'
import {
  Codec,
  type ColumnOptions,
  describe,
  PlainColumn,
  RefusedValue,
  type StorableValue,
  type StoredValue,
} from './codec.js'

/**
 * `true` and `false`, stored as 1 and 0. Reading anything else rejects with `ERR_COLUMN_VALUE`, and
 * writing anything else with `ERR_UNSUPPORTED_PARAMETER`.
 *
 * ### Examples
 *
 * ```ts
 * import { boolean, columnTypes } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ task: { id: number; done: boolean } }>({
 *   task: { done: boolean({ default: () => false }) },
 * })
 * ```
 */
export function boolean(options?: ColumnOptions<boolean>): Codec<boolean> {
  return new Codec(
    {
      kind: 'boolean',
      encode(value) {
        if (typeof value !== 'boolean') {
          throw new RefusedValue(describe(value), 'Pass true or false')
        }
        return value ? 1 : 0
      },
      decode(value) {
        if (value !== 1 && value !== 0) {
          throw new RefusedValue(describe(value), 'boolean() reads 0 and 1')
        }
        return value === 1
      },
    },
    options,
  )
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const DIGITS = /^-?\d+$/

/**
 * Any 64-bit integer, exactly, as a `bigint`. It is read as text, which the platform does not round. A
 * bigint beyond 64 bits is refused with `ERR_UNSUPPORTED_PARAMETER`. A query that would have to round
 * the integer is refused with `ERR_COLUMN_VALUE`.
 *
 * ### Examples
 *
 * ```ts
 * import { columnTypes, int64 } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ account: { id: number; balance: bigint } }>({
 *   account: { balance: int64() },
 * })
 * ```
 */
export function int64(options?: ColumnOptions<bigint>): Codec<bigint> {
  return new Codec(
    {
      kind: 'int64',
      isInteger: true,
      encode(value: bigint | number) {
        const integer = Number.isSafeInteger(value) ? BigInt(value) : value
        if (typeof integer !== 'bigint') {
          throw new RefusedValue(describe(value), 'Pass a bigint')
        }
        if (integer < MIN_INT64 || integer > MAX_INT64) {
          throw new RefusedValue(
            'a bigint beyond 64 bits',
            'Store it in a TEXT column, with a codec() of your own',
          )
        }
        return integer
      },
      decode(value) {
        if (Number.isSafeInteger(value) || (typeof value === 'string' && DIGITS.test(value))) {
          return BigInt(value as string | number)
        }
        throw Number.isInteger(value)
          ? new RefusedValue('an integer that the platform has rounded', 'select it by its name')
          : new RefusedValue(describe(value), 'int64() reads integers')
      },
    },
    options,
  )
}

/** What {@link codec} takes: how values are written and read. */
export interface CodecDefinition<T> extends ColumnOptions<T> {
  /**
   * Returns what to store. If it throws, the query rejects with `ERR_UNSUPPORTED_PARAMETER`, with that
   * error as the `cause`.
   */
  readonly encode: (value: T) => Exclude<StorableValue, bigint>
  /**
   * Returns the value for what was stored. If it throws, the query rejects with `ERR_COLUMN_VALUE`,
   * with that error as the `cause`. Not called for NULL.
   */
  readonly decode: (value: StoredValue) => T
}

/**
 * A codec of your own, for a column or, with `withCodec()`, for an expression.
 *
 * ### Examples
 *
 * ```ts
 * import { codec, columnTypes } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ link: { id: number; target: URL } }>({
 *   link: {
 *     target: codec({
 *       encode: (url: URL) => url.href,
 *       decode: (stored) => new URL(String(stored)),
 *     }),
 *   },
 * })
 * ```
 */
export function codec<T>(definition: CodecDefinition<T>): Codec<T> {
  const { encode, decode } = definition
  return new Codec(
    {
      kind: decode,
      encode,
      // Without a NULL, what is read is a StoredValue.
      decode: (value) => decode(readValue(value) as StoredValue),
    },
    definition,
  )
}

/**
 * A column without a codec, with a `default`, an `onUpdate` or both.
 *
 * ### Examples
 *
 * ```ts
 * import type { Generated } from 'kysely'
 * import { column, columnTypes } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ person: { id: Generated<string>; name: string } }>({
 *   person: { id: column({ default: () => crypto.randomUUID() }) },
 * })
 * ```
 */
export function column<T>(options: ColumnOptions<T>): PlainColumn<T> {
  return new PlainColumn(options)
}
