import { isBlob, JsonArray, toJson } from '../compiler/json-text.js'
import { toIntegerText, toSqliteParameter } from '../statement/parameters.js'

/**
 * The values as a JSON array whose elements SQLite reads as the values that it would have if each were
 * bound. Undefined where one JSON text cannot carry them: for a BLOB, for more than a value can hold,
 * and for no values, since what becomes of an empty list is for Kysely's plugins to say.
 */
export function toJsonArray(values: readonly unknown[]): string | undefined {
  if (values.length === 0) {
    return undefined
  }
  const array = new JsonArray()
  for (const [i, value] of values.entries()) {
    const json = toElement(value, i)
    if (json === undefined || array.add(json) === undefined) {
      return undefined
    }
  }
  return String(array)
}

function toElement(value: unknown, index: number): string | undefined {
  if (typeof value === 'bigint') {
    return toIntegerText(value)
  }
  const parameter = toSqliteParameter(value, index)
  return isBlob(parameter) ? undefined : toJson(parameter)
}
