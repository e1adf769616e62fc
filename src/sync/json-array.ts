import { toIntegerText } from '../parameters.js'

/** A value of SQLite has 2 MB at most, and no character takes more than 3 bytes. */
const MAX_LENGTH = 600_000

/**
 * The values as a JSON array whose elements SQLite reads as the values that it would have if each were
 * bound: a number is REAL, a bigint INTEGER. Undefined where JSON cannot carry one of them, or all; and
 * for no values, since what becomes of an empty list is for Kysely's plugins to say.
 *
 * https://www.sqlite.org/json1.html
 */
export function toJsonArray(values: readonly unknown[]): string | undefined {
  if (values.length === 0) {
    return undefined
  }
  const elements: string[] = []
  for (const value of values) {
    const element = toJson(value)
    if (element === undefined) {
      return undefined
    }
    elements.push(element)
  }
  const json = `[${elements.join(',')}]`
  return json.length > MAX_LENGTH ? undefined : json
}

function toJson(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() && !value.includes('\0') ? JSON.stringify(value) : undefined
    case 'number':
      return numberToJson(value)
    case 'bigint':
      return toIntegerText(value)
    case 'boolean':
      return value ? '1.0' : '0.0'
    case 'undefined':
      return 'null'
    default:
      return value === null ? 'null' : undefined
  }
}

/** JSON has no notation for infinity, and NaN is refused elsewhere. */
function numberToJson(value: number): string | undefined {
  if (!Number.isFinite(value) || Object.is(value, -0)) {
    return undefined
  }
  const digits = String(value)
  return Number.isInteger(value) && !digits.includes('e') ? `${digits}.0` : digits
}
