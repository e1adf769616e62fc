import { Codec, type ColumnOptions, describe, RefusedValue } from './codec.js'

/**
 * A value, stored as JSON text. What JSON would lose or change is refused with
 * `ERR_UNSUPPORTED_PARAMETER`: `NaN`, a bigint, a function, an instance of a class such as `Date` or
 * `Map`, `undefined` in an array. A property that is undefined is left out. Reading a text that is not
 * JSON rejects with `ERR_COLUMN_VALUE`. Whether a value has the type `T` is not checked.
 *
 * ### Examples
 *
 * ```ts
 * import { columnTypes, json } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ person: { id: number; tags: string[] } }>({
 *   person: { tags: json<string[]>() },
 * })
 * ```
 */
export function json<T>(options?: ColumnOptions<T>): Codec<T> {
  return new Codec<T>({ kind: 'json', encode, decode }, options)
}

const INSTEAD = 'Pass what JSON has: objects, arrays, text, finite numbers, true, false and null'

function encode(value: unknown): string {
  try {
    assertPlain(value)
    return JSON.stringify(value)
  } catch (error) {
    throw error instanceof RangeError || error instanceof TypeError
      ? new RefusedValue('a value that contains itself, or is nested too deeply', INSTEAD)
      : error
  }
}

/** A value of type `T` is what was stored; the type is the user's. */
function decode<T>(value: string | number | ArrayBuffer): T {
  if (typeof value === 'number') {
    // A column that was declared JSON has NUMERIC affinity: https://www.sqlite.org/datatype3.html
    return value as T
  }
  if (typeof value === 'string') {
    try {
      return JSON.parse(value) as T
    } catch {
      // Below.
    }
  }
  throw new RefusedValue(
    describe(value),
    typeof value === 'string' ? 'json() reads JSON, which this is not' : 'json() reads JSON text',
  )
}

function assertPlain(value: unknown): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) {
        throw new RefusedValue('JSON with NaN or Infinity', INSTEAD)
      }
      return
    case 'object':
      if (value !== null) {
        assertPlainObject(value)
      }
      return
    default:
      throw new RefusedValue(`JSON with ${describe(value)}`, INSTEAD)
  }
}

function assertPlainObject(value: object): void {
  if (Array.isArray(value)) {
    // Not forEach(), which passes over holes.
    for (const element of value) {
      assertPlain(element)
    }
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    throw new RefusedValue(`JSON with ${describe(value)}`, INSTEAD)
  }
  if ('toJSON' in value) {
    throw new RefusedValue('JSON with a property toJSON', INSTEAD)
  }
  for (const property of Object.values(value)) {
    if (property !== undefined) {
      assertPlain(property)
    }
  }
}
