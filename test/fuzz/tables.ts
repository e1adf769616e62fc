import { type Compilable, type Generated, type Kysely } from 'kysely'
import { Tape } from './tape.js'
import { anyValue } from './values.js'

interface Columns {
  id: Generated<unknown>
  i: unknown
  r: unknown
  n: unknown
  t: unknown
  c: unknown
  b: unknown
  a: unknown
}

export interface Database {
  one: Columns
  two: Columns
  /** What is written to. */
  target: Columns
}

/** A column of every affinity, and a collation: https://www.sqlite.org/datatype3.html */
export const COLUMNS = ['i', 'r', 'n', 't', 'c', 'b', 'a'] as const

const DECLARATION =
  'id integer primary key, i integer, r real, n numeric, t text, c text collate nocase, b blob, a'

export const SCHEMA = [
  `create table one (${DECLARATION})`,
  `create table two (${DECLARATION})`,
  `create table target (${DECLARATION}, unique (t))`,
  ...['i', 'r', 't', 'c'].map((column) => `create index one_${column} on one (${column})`),
  'create index two_n on two (n, t)',
]

const ROWS = 24

/** The rows of the tables, one insert each. */
export function inserts(db: Kysely<Database>): Compilable[] {
  const tape = new Tape([20_261_121]).fork()
  return (['one', 'two', 'target'] as const).flatMap((table) =>
    Array.from({ length: ROWS }, (_, i) =>
      db.insertInto(table).values({
        id: i + 1,
        ...(Object.fromEntries(
          COLUMNS.map((column) => [
            column,
            // Unique in the table that has a unique column.
            table === 'target' && column === 't' ? `key ${i}` : (anyValue(tape) ?? null),
          ]),
        ) as Omit<Columns, 'id'>),
      }),
    ),
  )
}

/** What a write has left, with types and exact integers. */
export const DUMP = `select id, ${COLUMNS.map(
  (column) =>
    `typeof(${column}), iif(typeof(${column}) = 'integer', cast(${column} as text), ${column})`,
).join(', ')} from target order by id`
