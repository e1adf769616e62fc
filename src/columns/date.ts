import { DurableObjectSqliteError } from '../platform/errors.js'
import { Codec, type ColumnOptions, describe, RefusedValue } from './codec.js'

/**
 * How a date is stored:
 *
 * - `'milliseconds'` since 1970, an integer: `1795255200000`,
 * - `'seconds'` since 1970, an integer: `1795255200`,
 * - `'iso'`, text: `2026-11-21T10:00:00.000Z`,
 * - `'sqlite'`, text in UTC as `CURRENT_TIMESTAMP` writes it: `2026-11-21 10:00:00`.
 */
export type DateFormat = 'milliseconds' | 'seconds' | 'iso' | 'sqlite'

interface Format {
  readonly encode: (date: Date) => number | string
  /** Undefined for what is not of this format. */
  readonly decode: (value: number | string | ArrayBuffer) => Date | undefined
  readonly reads: string
}

const ISO = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const SQLITE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/

const FORMATS: Readonly<Record<DateFormat, Format>> = {
  milliseconds: {
    encode: (date) => date.getTime(),
    decode: (value) => (Number.isInteger(value) ? valid(new Date(value as number)) : undefined),
    reads: 'an integer of milliseconds since 1970',
  },
  seconds: {
    encode: (date) => wholeSeconds(date).getTime() / 1000,
    decode: (value) =>
      Number.isInteger(value) ? valid(new Date((value as number) * 1000)) : undefined,
    reads: 'an integer of seconds since 1970',
  },
  iso: {
    encode: (date) => date.toISOString(),
    decode: (value) =>
      typeof value === 'string' && ISO.test(value)
        ? onDay(new Date(value), value.slice(-16, -14))
        : undefined,
    reads: 'text like 2026-11-21T10:00:00.000Z',
  },
  sqlite: {
    encode(date) {
      const text = wholeSeconds(date).toISOString()
      if (text.length !== ISO_LENGTH) {
        throw new RefusedValue(
          'a Date outside of the years 0 to 9999',
          "Use another format of date(), such as 'milliseconds'",
        )
      }
      return `${text.slice(0, 10)} ${text.slice(11, 19)}`
    },
    decode: (value) =>
      typeof value === 'string' && SQLITE.test(value)
        ? onDay(new Date(`${value.replace(' ', 'T')}.000Z`), value.slice(8, 10))
        : undefined,
    reads: 'text like 2026-11-21 10:00:00',
  },
}

const ISO_LENGTH = '2026-11-21T10:00:00.000Z'.length

/**
 * A `Date`, stored in the given format. An invalid Date is refused with `ERR_UNSUPPORTED_PARAMETER`.
 * `'seconds'` and `'sqlite'` also refuse milliseconds, which they would lose. `'sqlite'` refuses years
 * outside 0 to 9999. Reading a value in another format rejects with `ERR_COLUMN_VALUE`.
 *
 * Throws `ERR_INVALID_OPTION` if there is no such format.
 *
 * ### Examples
 *
 * ```ts
 * import { columnTypes, date } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<{ event: { id: number; at: Date } }>({
 *   event: { at: date('milliseconds', { default: () => new Date() }) },
 * })
 * ```
 */
export function date(format: DateFormat, options?: ColumnOptions<Date>): Codec<Date> {
  if (!Object.hasOwn(FORMATS, format)) {
    const formats = Object.keys(FORMATS).join(', ')
    throw new DurableObjectSqliteError(
      'ERR_INVALID_OPTION',
      `date() has no such format. Pass one of ${formats}.`,
    )
  }
  const { encode, decode, reads } = FORMATS[format]
  return new Codec(
    {
      kind: `date ${format}`,
      encode(value) {
        if (!(value instanceof Date)) {
          throw new RefusedValue(describe(value), 'Pass a Date')
        }
        if (Number.isNaN(value.getTime())) {
          throw new RefusedValue('an invalid Date', 'Pass a valid one, or null')
        }
        return encode(value)
      },
      decode(value) {
        const date = decode(value)
        if (date === undefined) {
          throw new RefusedValue(describe(value), `date('${format}') reads ${reads}`)
        }
        return date
      },
    },
    options,
  )
}

function wholeSeconds(date: Date): Date {
  if (date.getTime() % 1000 !== 0) {
    throw new RefusedValue(
      'a Date with milliseconds, which the format of the column has no place for',
      'Pass one of whole seconds, such as new Date(Math.floor(Date.now() / 1000) * 1000)',
    )
  }
  return date
}

function valid(date: Date): Date | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** JavaScript reads February 30 as March 2. */
function onDay(date: Date, day: string): Date | undefined {
  return date.getUTCDate() === Number(day) ? date : undefined
}
