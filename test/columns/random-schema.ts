import * as fc from 'fast-check'
import { boolean, columnTypes, date, int64, json } from '../../src/columns/index.js'
import type { DurableObjectSqliteColumns } from '../../src/index.js'

export type Kind =
  | 'number'
  | 'text'
  | 'boolean'
  | 'milliseconds'
  | 'seconds'
  | 'iso'
  | 'sqlite'
  | 'json'
  | 'int64'

export interface RandomColumn {
  readonly name: string
  readonly kind: Kind
}

export interface RandomTable {
  readonly name: string
  readonly columns: readonly RandomColumn[]
  /** As JavaScript has them. */
  readonly rows: readonly (readonly unknown[])[]
}

/** Few names, so that the tables share them. */
const NAMES = ['active', 'created_at', 'data', 'amount', 'x_y']

const KINDS: readonly Kind[] = [
  'number',
  'text',
  'boolean',
  'milliseconds',
  'seconds',
  'iso',
  'sqlite',
  'json',
  'int64',
]

/** No two of them are rounded to the same number. */
const INTEGERS = [0n, -1n, 42n, 2n ** 53n + 1n, 2n ** 62n + 1n, -(2n ** 63n), 2n ** 63n - 1n]

const wholeSeconds = fc
  .integer({ min: -60_000_000_000, max: 200_000_000_000 })
  .map((s) => new Date(s * 1000))

/** Values as JavaScript has them. */
export const VALUES: Readonly<Record<Kind, fc.Arbitrary<unknown>>> = {
  number: fc.oneof(fc.integer(), fc.constantFrom(0, 1, 0.5)),
  // Some look like what other columns hold.
  text: fc.oneof(
    fc.string(),
    fc.constantFrom(
      'true',
      '1',
      '["x"]',
      '{"a":1}',
      '2026-11-21T10:00:00.000Z',
      '2026-11-21 10:00:00',
    ),
  ),
  boolean: fc.boolean(),
  milliseconds: fc.date({ noInvalidDate: true }),
  seconds: wholeSeconds,
  iso: fc.date({ noInvalidDate: true }),
  sqlite: wholeSeconds,
  json: fc
    .jsonValue()
    .filter(
      (value) =>
        value !== null &&
        JSON.stringify(value) === JSON.stringify(JSON.parse(JSON.stringify(value))),
    ),
  int64: fc.constantFrom(...INTEGERS),
}

const SQL_TYPES: Readonly<Record<Kind, string>> = {
  number: 'real',
  text: 'text',
  boolean: 'integer',
  milliseconds: 'integer',
  seconds: 'integer',
  iso: 'text',
  sqlite: 'text',
  json: 'text',
  int64: 'integer',
}

/** By hand, what SQLite stores for a value. */
export function encodeByHand(kind: Kind, value: unknown): string | number | bigint | null {
  if (value === null) {
    return null
  }
  switch (kind) {
    case 'boolean':
      return value === true ? 1 : 0
    case 'milliseconds':
      return Number(value)
    case 'seconds':
      return Number(value) / 1000
    case 'iso':
      return (value as Date).toISOString()
    case 'sqlite':
      return (value as Date).toISOString().replace('T', ' ').replace('.000Z', '')
    case 'json':
      return JSON.stringify(value)
    default:
      return value as string | number | bigint
  }
}

/** By hand, the value of what `ctx.storage.sql` gives. */
export function decodeByHand(kind: Kind, value: unknown): unknown {
  if (value === null) {
    return null
  }
  switch (kind) {
    case 'boolean':
      return value === 1
    case 'milliseconds':
      return new Date(value as number)
    case 'seconds':
      return new Date((value as number) * 1000)
    case 'iso':
      return new Date(value as string)
    case 'sqlite':
      return new Date(`${(value as string).replace(' ', 'T')}Z`)
    case 'json':
      return JSON.parse(value as string)
    case 'int64':
      return INTEGERS.find((integer) => Number(integer) === value)
    default:
      return value
  }
}

const column = fc.record({ name: fc.constantFrom(...NAMES), kind: fc.constantFrom(...KINDS) })

function table(name: string): fc.Arbitrary<RandomTable> {
  return fc
    .uniqueArray(column, { minLength: 2, maxLength: 5, selector: ({ name }) => name })
    .chain((columns) =>
      fc
        .array(fc.tuple(...columns.map(({ kind }) => fc.option(VALUES[kind]))), {
          minLength: 1,
          maxLength: 3,
        })
        .map((rows) => ({
          name,
          columns: [{ name: 'id', kind: 'number' as const }, ...columns],
          rows: rows.map((row, i) => [i + 1, ...row]),
        })),
    )
}

export const randomTables: fc.Arbitrary<readonly RandomTable[]> = fc.tuple(
  table('t_one'),
  table('t_two'),
  table('t_three'),
)

/** As a user writes it. */
export function columnsOf(tables: readonly RandomTable[]): DurableObjectSqliteColumns {
  return columnTypes<Record<string, Record<string, number>>>(
    Object.fromEntries(
      tables.map(({ name, columns }) => [
        name,
        Object.fromEntries(
          columns.flatMap(({ name, kind }) => {
            const codec = codecOf(kind)
            return codec === undefined ? [] : [[name, codec as never]]
          }),
        ),
      ]),
    ),
  )
}

export function codecOf(kind: Kind) {
  switch (kind) {
    case 'number':
    case 'text':
      return undefined
    case 'boolean':
      return boolean()
    case 'json':
      return json()
    case 'int64':
      return int64()
    default:
      return date(kind)
  }
}

/** Makes the tables, with what they hold, by hand. */
export function createTables(sql: SqlStorage, tables: readonly RandomTable[]): void {
  for (const { name, columns, rows } of tables) {
    const definitions = columns.map(({ name, kind }) => `${name} ${SQL_TYPES[kind]}`)
    sql.exec(`create table ${name} (${definitions.join(', ')})`)
    for (const row of rows) {
      const values = row.map((value, i) => encodeByHand(columns[i]!.kind, value))
      sql.exec(
        `insert into ${name} values (${values.map((value) => (typeof value === 'bigint' ? 'cast(? as integer)' : '?')).join(', ')})`,
        ...values.map((value) => (typeof value === 'bigint' ? String(value) : value)),
      )
    }
  }
}
