import type { OperationNode } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { columnOfValue } from './column-of-value.js'
import { LateValue } from './late-value.js'

/** A value that `ctx.storage.sql` stores as what it is. */
export type SqliteParameter = string | number | null | ArrayBuffer | ArrayBufferView

/** Where an error looks for the column that a value is for. */
export interface QueryOfParameters {
  readonly query: OperationNode
  /** What stands in the query for each value, where that is not the value itself. */
  readonly parameters?: readonly unknown[]
}

/**
 * The values to bind for the parameters of a compiled query. Throws `ERR_UNSUPPORTED_PARAMETER` for
 * the first one that SQLite would store as something else.
 *
 * The array is the one given where nothing had to be converted: this runs once for every query.
 */
export function toSqliteParameters(
  parameters: readonly unknown[],
  query?: QueryOfParameters,
): readonly unknown[] {
  let converted: unknown[] | undefined
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i]
    const value = toSqliteParameter(parameter, i, query)
    if (value !== parameter) {
      converted ??= parameters.slice()
      converted[i] = value
    }
  }
  return converted ?? parameters
}

/**
 * The value to bind for one parameter. The index, from 0, is what an error calls it by, with its column
 * where the query tells.
 */
export function toSqliteParameter(
  value: unknown,
  index: number,
  query?: QueryOfParameters,
): SqliteParameter {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) {
        throw unsupported(
          nameOf(index, value, query),
          'a string with a lone surrogate, which would not be read back as it is',
          'Pass value.toWellFormed(), or the bytes as a Uint8Array',
        )
      }
      return value
    case 'number':
      if (value !== value) {
        throw unsupported(
          nameOf(index, value, query),
          'NaN, which SQLite would store as NULL',
          'Pass null if that is meant',
        )
      }
      return value
    case 'boolean':
      return value ? 1 : 0
    case 'undefined':
      return null
    case 'object':
      if (value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
        return value
      }
      throw unsupportedObject(nameOf(index, value, query), value)
    case 'bigint':
      // The query compiler writes `+cast(? as integer)` and passes the digits, so a bigint that
      // arrives here belongs to SQL text that was not compiled here.
      throw unsupported(
        nameOf(index, value, query),
        'a bigint in SQL text that this dialect did not compile',
        'Use the query builder or the sql template tag, or write +cast(? as integer) and pass ' +
          'String(value)',
      )
    case 'function':
      throw unsupported(nameOf(index, value, query), 'a function', 'Pass the value that it returns')
    case 'symbol':
      throw unsupported(
        nameOf(index, value, query),
        'a symbol',
        'Pass symbol.description, or another string',
      )
  }
}

function unsupportedObject(subject: string, value: object): DurableObjectSqliteError {
  if (value instanceof Date) {
    return unsupported(
      subject,
      'a Date',
      'Pass date.toISOString() for a TEXT column or date.getTime() for an INTEGER column, or declare the ' +
        'column as a date in the option columns',
    )
  }
  if (value instanceof LateValue) {
    return unsupported(subject, ...value.refusal)
  }
  if (Array.isArray(value)) {
    return unsupported(
      subject,
      'an array',
      "Pass JSON.stringify(value) to store it, or the array itself to the 'in' operator",
    )
  }
  const name: unknown = value.constructor?.name
  return unsupported(
    subject,
    typeof name === 'string' && name !== 'Object' ? `an object of the class ${name}` : 'an object',
    'Pass JSON.stringify(value), or one of its properties',
  )
}

function nameOf(index: number, value: unknown, query: QueryOfParameters | undefined): string {
  const column =
    query && columnOfValue(query.query, query.parameters ? query.parameters[index] : value)
  return `Parameter ${index + 1}${column === undefined ? '' : `, for the column ${column},`}`
}

function unsupported(subject: string, what: string, instead: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_UNSUPPORTED_PARAMETER',
    `${subject} is ${what}. ${instead}.`,
  )
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

/** The decimal digits of an integer that fits in 64 bits, to be bound in `+cast(? as integer)`. */
export function toIntegerText(value: bigint): string {
  if (value < MIN_INT64 || value > MAX_INT64) {
    throw new DurableObjectSqliteError(
      'ERR_UNSUPPORTED_PARAMETER',
      "A bigint does not fit in SQLite's INTEGER of 64 bits. Pass String(value) and store it in a " +
        'TEXT column.',
    )
  }
  return value.toString()
}
