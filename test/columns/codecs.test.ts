import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  boolean,
  type Codec,
  codec,
  columnTypes,
  date,
  int64,
  json,
} from '../../src/columns/index.js'
import { DurableObjectSqliteError } from '../../src/index.js'
import { inDurableObject } from '../harness.js'

interface Database<T> {
  t: { id: number; value: T | null; plain: string | number | Uint8Array | null }
}

/** Runs the body with what stores a value by the codec and reads it, and what reads a stored one. */
function withCodecColumn<T>(
  codec: Codec<T>,
  declaration: string,
  body: (column: {
    readonly roundTrip: (value: T) => Promise<{ value: T | null; stored: unknown }>
    readonly read: (stored: unknown) => Promise<unknown>
  }) => Promise<void>,
): Promise<void> {
  // TypeScript cannot tell whether a type that is not known needs a codec.
  const columns = columnTypes<{ t: { value: unknown } }>({ t: { value: codec as Codec<unknown> } })
  return inDurableObject<Database<T>>(
    ({ db, sql }) => {
      sql.exec(`create table t (id integer primary key, value ${declaration}, plain)`)
      return body({
        async roundTrip(value) {
          sql.exec('delete from t')
          await db
            .insertInto('t')
            .values({ id: 1, value, plain: null } as never)
            .execute()
          const { stored } = sql.exec('select value as stored from t').one()
          const row = await db
            .selectFrom('t')
            .select('value')
            .where('value', 'is not', null)
            .executeTakeFirstOrThrow()
          return { value: row.value as T | null, stored }
        },
        async read(stored) {
          sql.exec('delete from t')
          sql.exec('insert into t values (1, ?, null)', stored)
          const { value } = await db.selectFrom('t').select('value').executeTakeFirstOrThrow()
          return value
        },
      })
    },
    { dialect: { columns } },
  )
}

function failureOf(error: unknown): unknown {
  return error instanceof DurableObjectSqliteError ? `${error.code}: ${error.message}` : error
}

const FIRST = new Date(-8.64e15)
const LAST = new Date(8.64e15)

it.each([
  ['milliseconds', 'integer', [FIRST, LAST, new Date(1), new Date(-1)], [-8.64e15, 8.64e15, 1, -1]],
  ['seconds', 'integer', [FIRST, LAST, new Date(-1000)], [-8.64e12, 8.64e12, -1]],
  [
    'iso',
    'text',
    [FIRST, LAST, new Date(1)],
    ['-271821-04-20T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', '1970-01-01T00:00:00.001Z'],
  ],
  [
    'sqlite',
    'text',
    [new Date('0000-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59Z')],
    ['0000-01-01 00:00:00', '9999-12-31 23:59:59'],
  ],
] as const)('should store dates as %s, to the first and last', (format, type, dates, stored) =>
  withCodecColumn(date(format), type, async ({ roundTrip }) => {
    for (const [i, value] of dates.entries()) {
      expect(await roundTrip(value)).toEqual({ value, stored: stored[i] })
    }
  }),
)

it.each(['milliseconds', 'iso'] as const)('should keep any date as %s', (format) =>
  withCodecColumn(date(format), '', ({ roundTrip }) =>
    fc.assert(
      fc.asyncProperty(fc.date({ noInvalidDate: true }), async (value) => {
        expect((await roundTrip(value)).value).toEqual(value)
      }),
      { numRuns: 50 },
    ),
  ),
)

it.each([
  ['milliseconds', new Date(Number.NaN), 'an invalid Date. Pass a valid one, or null.'],
  ['iso', 5, 'an integer. Pass a Date.'],
  ['iso', '2026-11-21T10:00:00.000Z', 'text of 24 characters. Pass a Date.'],
  [
    'seconds',
    new Date(1),
    'a Date with milliseconds, which the format of the column has no place for. Pass one of whole ' +
      'seconds, such as new Date(Math.floor(Date.now() / 1000) * 1000).',
  ],
  [
    'sqlite',
    new Date(1),
    'a Date with milliseconds, which the format of the column has no place for. Pass one of whole ' +
      'seconds, such as new Date(Math.floor(Date.now() / 1000) * 1000).',
  ],
  [
    'sqlite',
    new Date('-000001-01-01T00:00:00Z'),
    "a Date outside of the years 0 to 9999. Use another format of date(), such as 'milliseconds'.",
  ],
  [
    'sqlite',
    LAST,
    "a Date outside of the years 0 to 9999. Use another format of date(), such as 'milliseconds'.",
  ],
] as const)('should refuse to store as %s %s', (format, value, message) =>
  withCodecColumn(date(format), 'any', async ({ roundTrip }) => {
    expect(await roundTrip(value as Date).catch(failureOf)).toBe(
      `ERR_UNSUPPORTED_PARAMETER: A value for t.value is ${message}`,
    )
  }),
)

const CORRECT = 'Select it as raw SQL to see it as it is, and correct it by an update.'

it.each([
  [
    'milliseconds',
    '1970',
    `text of 4 characters; date('milliseconds') reads an integer of milliseconds since 1970`,
  ],
  [
    'milliseconds',
    0.5,
    `a number that is no integer; date('milliseconds') reads an integer of milliseconds since 1970`,
  ],
  [
    'milliseconds',
    8.64e15 + 2,
    `an integer; date('milliseconds') reads an integer of milliseconds since 1970`,
  ],
  ['seconds', 8.64e12 + 1, `an integer; date('seconds') reads an integer of seconds since 1970`],
  [
    'iso',
    '2026-02-30T10:00:00.000Z',
    `text of 24 characters; date('iso') reads text like 2026-11-21T10:00:00.000Z`,
  ],
  [
    'iso',
    '2026-11-21T24:00:00.000Z',
    `text of 24 characters; date('iso') reads text like 2026-11-21T10:00:00.000Z`,
  ],
  [
    'iso',
    '2026-11-21 10:00:00',
    `text of 19 characters; date('iso') reads text like 2026-11-21T10:00:00.000Z`,
  ],
  [
    'sqlite',
    '2026-11-31 10:00:00',
    `text of 19 characters; date('sqlite') reads text like 2026-11-21 10:00:00`,
  ],
  ['sqlite', 5, `an integer; date('sqlite') reads text like 2026-11-21 10:00:00`],
  [
    'sqlite',
    new Uint8Array([1]),
    `a BLOB of 1 bytes; date('sqlite') reads text like 2026-11-21 10:00:00`,
  ],
] as const)('should refuse to read as %s %s', (format, stored, message) =>
  withCodecColumn(date(format), '', async ({ read }) => {
    expect(await read(stored).catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds ${message}. ${CORRECT}`,
    )
  }),
)

it('should read what CURRENT_TIMESTAMP writes', () =>
  withCodecColumn(date('sqlite'), 'text', async ({ read }) => {
    expect(await read('2026-11-21 10:00:00')).toEqual(new Date('2026-11-21T10:00:00Z'))
  }))

it('should store booleans as 1 and 0 and read nothing else', () =>
  withCodecColumn(boolean(), 'any', async ({ roundTrip, read }) => {
    expect(await roundTrip(true)).toEqual({ value: true, stored: 1 })
    expect(await roundTrip(false)).toEqual({ value: false, stored: 0 })
    expect(await read('yes').catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds text of 3 characters; boolean() reads 0 and 1. ${CORRECT}`,
    )
    expect(await read(2).catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds an integer; boolean() reads 0 and 1. ${CORRECT}`,
    )
    expect(await read(null)).toBe(null)
  }))

it.each(['integer', 'text', 'blob', 'numeric'])(
  'should keep any integer of 64 bits in a column declared %s',
  (declaration) =>
    withCodecColumn(int64(), declaration, async ({ roundTrip }) => {
      for (const value of [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, 0n, -1n]) {
        expect((await roundTrip(value)).value).toBe(value)
      }
    }),
)

it('should refuse to read integers from a column declared real, which rounds them', () =>
  withCodecColumn(int64(), 'real', async ({ roundTrip }) => {
    expect(await roundTrip(5n).catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds text of 3 characters; int64() reads integers. ${CORRECT}`,
    )
  }))

it('should refuse integers beyond 64 bits, and what is none', () =>
  withCodecColumn(int64(), 'any', async ({ roundTrip, read }) => {
    expect((await roundTrip(5 as unknown as bigint)).value).toBe(5n)
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
      expect(await roundTrip(value).catch(failureOf)).toBe(
        'ERR_UNSUPPORTED_PARAMETER: A value for t.value is a bigint beyond 64 bits. Store it in a TEXT ' +
          'column, with a codec() of your own.',
      )
    }
    expect(await roundTrip(0.5 as unknown as bigint).catch(failureOf)).toBe(
      'ERR_UNSUPPORTED_PARAMETER: A value for t.value is a number that is no integer. Pass a bigint.',
    )
    expect(await read('x').catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds text of 1 character; int64() reads integers. ${CORRECT}`,
    )
    expect(await read(0.5).catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds text of 3 characters; int64() reads integers. ${CORRECT}`,
    )
  }))

const deep = (levels: number): unknown => {
  let value: unknown = null
  for (let i = 0; i < levels; i++) {
    value = [value]
  }
  return value
}

it('should keep any JSON, whatever is in it', () =>
  withCodecColumn(json<unknown>(), 'text', async ({ roundTrip, read }) => {
    for (const value of [
      JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": 1}}') as unknown,
      '\ud800 alone',
      { text: '\ud800' },
      '',
      0,
      false,
      'null',
      [],
      {},
      [null],
      deep(1000),
      Object.assign(Object.create(null) as object, { a: 1 }),
    ]) {
      expect(JSON.stringify((await roundTrip(value)).value)).toBe(JSON.stringify(value))
    }
    expect((await roundTrip({ a: undefined, b: 1 })).stored).toBe('{"b":1}')
    expect({}).not.toHaveProperty('admin')
    expect(await read('null')).toBe(null)
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue().filter((value) => value !== null),
        async (value) => {
          expect(JSON.stringify((await roundTrip(value)).value)).toBe(JSON.stringify(value))
        },
      ),
      { numRuns: 50 },
    )
  }))

const cycle: { self?: unknown } = {}
cycle.self = [cycle]

it.each([
  ['NaN', [Number.NaN], 'JSON with NaN or Infinity'],
  ['Infinity', { a: Number.POSITIVE_INFINITY }, 'JSON with NaN or Infinity'],
  ['a bigint', [1n], 'JSON with a bigint'],
  ['a function', { a: () => 1 }, 'JSON with a function'],
  ['a symbol', [Symbol('a')], 'JSON with a symbol'],
  ['undefined in an array', [undefined], 'JSON with undefined'],
  ['a hole in an array', Array<unknown>(1), 'JSON with undefined'],
  ['a Date', { at: new Date(0) }, 'JSON with an object of the class Date'],
  ['a Map', new Map([[1, 2]]), 'JSON with an object of the class Map'],
  ['a BLOB', { a: new Uint8Array(2) }, 'JSON with a BLOB of 2 bytes'],
  ['toJSON', { toJSON: () => 1 }, 'JSON with a property toJSON'],
  ['a cycle', cycle, 'a value that contains itself, or is nested too deeply'],
  ['too many levels', deep(1_000_000), 'a value that contains itself, or is nested too deeply'],
])('should refuse JSON with %s', (_, value, message) =>
  withCodecColumn(json<unknown>(), 'text', async ({ roundTrip }) => {
    expect(await roundTrip(value).catch(failureOf)).toBe(
      `ERR_UNSUPPORTED_PARAMETER: A value for t.value is ${message}. Pass what JSON has: objects, ` +
        'arrays, text, finite numbers, true, false and null.',
    )
  }),
)

it('should read JSON, and a number where the column made one of it, and refuse the rest', () =>
  withCodecColumn(json<unknown>(), 'json', async ({ roundTrip, read }) => {
    expect(await roundTrip(5)).toEqual({ value: 5, stored: 5 })
    expect(await roundTrip('5')).toEqual({ value: '5', stored: '"5"' })
    expect(await roundTrip([1.5])).toEqual({ value: [1.5], stored: '[1.5]' })
    expect(await read('{').catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds text of 1 character; json() reads JSON, which this is not. ${CORRECT}`,
    )
    expect(await read(new Uint8Array(3)).catch(failureOf)).toBe(
      `ERR_COLUMN_VALUE: t.value holds a BLOB of 3 bytes; json() reads JSON text. ${CORRECT}`,
    )
  }))

it('should store and read by a codec of its own, and name the column if that throws', () =>
  withCodecColumn(
    codec<Uint8Array>({
      encode(value) {
        if (value.length === 0) {
          throw new Error('secret')
        }
        return value.toReversed()
      },
      decode(stored) {
        if (!(stored instanceof Uint8Array)) {
          throw new TypeError('secret')
        }
        return stored.toReversed()
      },
    }),
    'blob',
    async ({ roundTrip, read }) => {
      expect(await roundTrip(new Uint8Array([1, 2]))).toEqual({
        value: new Uint8Array([1, 2]),
        stored: new Uint8Array([2, 1]).buffer,
      })
      expect(await roundTrip(new Uint8Array()).catch(failureOf)).toBe(
        'ERR_UNSUPPORTED_PARAMETER: A value for t.value is a BLOB of 0 bytes. The codec refused it; see the cause.',
      )
      expect(await read('x').catch(failureOf)).toBe(
        `ERR_COLUMN_VALUE: t.value holds text of 1 character; the codec refused it; see the cause. ${CORRECT}`,
      )
    },
  ))

it('should leave text in a column without a codec as it is, whatever it looks like', () =>
  inDurableObject<{ t: { flag: boolean; plain: string } }>(
    async ({ db, sql }) => {
      sql.exec('create table t (flag integer, plain text)')
      for (const plain of ['true', '["x"]', '{"a":1}', '2026-11-21T10:00:00.000Z', '1']) {
        await db.insertInto('t').values({ flag: true, plain }).execute()
        expect(await db.selectFrom('t').selectAll().where('plain', '=', plain).execute()).toEqual([
          { flag: true, plain },
        ])
      }
    },
    { dialect: { columns: columnTypes<{ t: { flag: boolean } }>({ t: { flag: boolean() } }) } },
  ))

it.each(['ms', 'constructor', undefined])('should refuse the date format %s', (format) => {
  expect(() => date(format as never)).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_OPTION',
      message: 'date() has no such format. Pass one of milliseconds, seconds, iso, sqlite.',
    }),
  )
})
