import { isBlob, JsonArray } from '../compiler/json-text.js'
import { isRoundedAsReal, toElement } from '../compiler/plain-values.js'

/**
 * The values as a JSON array for `in (select +value from json_each(?))`. Undefined where that would not
 * be the list for every left side: for a BLOB, for an integer that is no REAL, for more than a value can
 * hold, and for no values, since what becomes of an empty list is for Kysely's plugins to say.
 */
export function toJsonArray(values: readonly unknown[]): string | undefined {
  if (values.length === 0) {
    return undefined
  }
  const array = new JsonArray()
  for (const [i, value] of values.entries()) {
    const json = isBlob(value) || isRoundedAsReal(value) ? undefined : toElement(value, i)
    if (json === undefined || array.add(json) === undefined) {
      return undefined
    }
  }
  return String(array)
}
