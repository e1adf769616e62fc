import {
  DefaultInsertValueNode,
  type OperationNode,
  PrimitiveValueListNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from 'kysely'
import {
  type QueryOfParameters,
  toIntegerText,
  toSqliteParameter,
} from '../statement/parameters.js'
import {
  isBlob,
  isPlainText,
  MAX_ELEMENT_BYTES,
  sizeOf,
  toJson,
  toJsonElement,
} from './json-text.js'

/**
 * The two forms whose values travel as the elements of a JSON array. Each is what SQLite makes of the
 * form that it replaces, for these values and no others:
 *
 * - Rows, of `insert … values` and of tuples behind `in`: every cell is a value, or the `null` that
 *   stands for a missing key. SQLite itself compiles both to a select that yields the rows, and a
 *   parameter has no affinity and no collation, as `->>` and `unhex()` have none.
 * - A list behind `in` or `not in`: every element is a value. SQLite puts the elements into an index,
 *   with the affinity of the left side, as it does with those of a sub-select that have none
 *   themselves; with one difference, for which see {@link isRoundedAsReal}.
 *
 * Undefined is returned for anything else, and for what is too large for a JSON text.
 */
export interface JsonValues {
  /** The elements of the JSON array. */
  readonly elements: readonly string[]
  /** What to select from the rows that `json_each()` makes of it. */
  readonly selection: string
  /** Whether each element is an array. */
  readonly isOfRows: boolean
  /** How many parameters the values would have been. */
  readonly count: number
  /** Those elements that a REAL on the left side may be equal to, if the others would be rounded for it. */
  readonly realElements?: readonly string[] | undefined
}

/** The cell that Kysely writes as `null`. */
const MISSING = Symbol('missing')

/** The values of a list, a row or a tuple, if it has nothing else. */
function valuesOf(node: OperationNode): readonly unknown[] | undefined {
  if (PrimitiveValueListNode.is(node)) {
    return node.values
  }
  if (!ValueListNode.is(node) && !TupleNode.is(node)) {
    return undefined
  }
  const values: unknown[] = []
  for (const value of node.values) {
    if (DefaultInsertValueNode.is(value)) {
      values.push(MISSING)
    } else if (ValueNode.is(value) && value.immediate !== true) {
      values.push(value.value)
    } else {
      return undefined
    }
  }
  return values
}

/**
 * The JSON of a value, a BLOB in an array of its own, or undefined if it is too large. An error calls
 * the value by its index among the parameters.
 */
export function toElement(
  value: unknown,
  index: number,
  query?: QueryOfParameters,
): string | undefined {
  // Nearly all values are such numbers, or texts.
  if (typeof value === 'number' && value === value) {
    return toJson(value)
  }
  if (typeof value === 'string' && value.length < 1000 && isPlainText(value)) {
    return `"${value}"`
  }
  if (typeof value === 'bigint') {
    return toIntegerText(value)
  }
  const json = toJsonElement(toSqliteParameter(value, index, query))
  return json !== undefined && isBlob(value) ? `[${json}]` : json
}

/** The rows, where the values of the query's other parameters come before them. */
export function toJsonRows(
  rows: readonly OperationNode[],
  firstParameter: number,
  query?: QueryOfParameters,
): JsonValues | undefined {
  const table: (readonly unknown[])[] = []
  const elements: string[] = []
  const blobColumns = new Set<number>()
  let parameter = firstParameter
  for (const row of rows) {
    const values = valuesOf(row)
    if (values === undefined || values.length !== (table[0] ?? values).length) {
      return undefined
    }
    table.push(values)
    let json = ''
    for (let column = 0; column < values.length; column++) {
      const value = values[column]
      const cell = value === MISSING ? 'null' : toElement(value, parameter++, query)
      if (cell === undefined) {
        return undefined
      }
      json += (column === 0 ? '[' : ',') + cell
      if (isBlob(value)) {
        blobColumns.add(column)
      }
    }
    if (sizeOf(json) > MAX_ELEMENT_BYTES) {
      return undefined
    }
    elements.push(`${json}]`)
  }
  const columns = table[0]!.map((_, i) =>
    !blobColumns.has(i)
      ? `value ->> ${i}`
      : table.every((row) => isBlobOrNull(row[i]))
        ? `unhex(value ->> '$[${i}][0]')`
        : `case json_type(value, '$[${i}]') when 'array' then unhex(value ->> '$[${i}][0]') ` +
          `else value ->> ${i} end`,
  )
  return {
    elements,
    selection: columns.join(', '),
    isOfRows: true,
    count: parameter - firstParameter,
  }
}

/** The list, where the values of the query's other parameters come before it. */
export function toJsonList(
  list: OperationNode,
  firstParameter: number,
  query?: QueryOfParameters,
): JsonValues | undefined {
  const values = valuesOf(list)
  if (values === undefined || values.length === 0) {
    return undefined
  }
  const elements: string[] = []
  let parameter = firstParameter
  let hasRounded = false
  let hasBlobs = false
  for (const value of values) {
    const element = toElement(value, parameter++, query)
    if (element === undefined) {
      return undefined
    }
    elements.push(element)
    if (typeof value !== 'number') {
      hasRounded ||= isRoundedAsReal(value)
      hasBlobs ||= isBlob(value)
    }
  }
  // With the affinity of the column `value`, that of a BLOB, a numeric left side makes numbers of texts
  // without rounding them; and a TEXT one has nothing but texts itself. For other values the plus takes
  // that affinity away: https://www.sqlite.org/datatype3.html#affinity_of_comparison_operands
  const isText = hasRounded && values.every(isTextOrNull)
  return {
    elements,
    selection: !hasBlobs
      ? isText
        ? 'value'
        : '+value'
      : values.every(isBlobOrNull)
        ? 'unhex(value ->> 0)'
        : "case type when 'array' then unhex(value ->> 0) else value end",
    isOfRows: false,
    count: values.length,
    realElements:
      hasRounded && !isText ? elements.filter((_, i) => !isRoundedAsReal(values[i])) : undefined,
  }
}

function isBlobOrNull(value: unknown): boolean {
  return isBlob(value) || value === null || value === undefined || value === MISSING
}

function isTextOrNull(value: unknown): boolean {
  return typeof value === 'string' || value === null || value === undefined
}

const INTEGER_TEXT = /^[\t-\r ]*[+-]?\d{16,}[\t-\r ]*$/

/**
 * Whether the value is an integer of 64 bits that no REAL is equal to, or the text of one. SQLite
 * compares it exactly with a REAL column where it is in a list, and rounds it in a sub-select.
 */
export function isRoundedAsReal(value: unknown): boolean {
  if (typeof value === 'bigint') {
    return BigInt(Number(value)) !== value
  }
  if (typeof value !== 'string' || value.length < 16 || !INTEGER_TEXT.test(value)) {
    return false
  }
  const integer = BigInt(value)
  return BigInt.asIntN(64, integer) === integer && isRoundedAsReal(integer)
}
