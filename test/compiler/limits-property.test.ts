import * as fc from 'fast-check'
import { type Compilable, type Expression, type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { compileToJsonParameters } from '../../src/compiler/json-query-compiler.js'
import { inDurableObject, isRemote } from '../harness.js'

/** One column of every affinity: https://www.sqlite.org/datatype3.html */
const COLUMNS = ['i', 'r', 'n', 't', 'b', 'any'] as const

type Column = (typeof COLUMNS)[number]

type Values = { [column in Column]: unknown }

interface Database {
  flat: Values & { id: number }
  json: Values & { id: number }
}

const CREATE_TABLE = '(id integer primary key, i integer, r real, n numeric, t text, b blob, any)'

/** Fewer where each query is a message. */
const RUNS = { numRuns: isRemote ? 30 : 200 }

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 2 ** 53, -(2 ** 63), 1e21),
)

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text.isWellFormed()),
  fc.string({
    unit: fc.constantFrom('\0', '\n', '"', '\\', "'", '\u{1f600}', 'é', 'a'),
    maxLength: 6,
  }),
  // Texts that look like numbers are where affinity shows.
  number.map(String),
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.constantFrom('', '5.0', ' 5', '5 ', '1e2', '[1]', '{"a":1}', 'null', 'true'),
)

const safeBigint = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -MAX_SAFE, max: MAX_SAFE }),
)

const bigint = fc.oneof(
  safeBigint,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
)

const blob = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => bytes.slice().buffer),
  fc.uint8Array({ minLength: 2, maxLength: 6 }).map((bytes) => bytes.subarray(1)),
)

const other = fc.constantFrom(null, null, true, false, undefined)

/** A value of every type that can be bound. */
const value = fc.oneof(number, text, bigint, blob, other)

/** What is refused, one kind at a time. */
const refused = fc.constantFrom<unknown>(
  Number.NaN,
  new Date(0),
  [1],
  { a: 1 },
  Symbol('s'),
  '\ud800',
  2n ** 63n,
)

/** Mostly values that can be bound; now and then one that is refused. */
function valuesWith(
  values: fc.Arbitrary<unknown>,
  constraints: fc.ArrayConstraints,
): fc.Arbitrary<unknown[]> {
  return fc
    .tuple(fc.array(values, constraints), fc.option(refused, { freq: 8 }), fc.nat())
    .map(([values, one, index]) =>
      one === null || values.length === 0 ? values : values.with(index % values.length, one),
    )
}

/** What the query does: its rows, or its error. */
async function outcome(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) {
      throw error
    }
    // Each way writes to a table of its own.
    return { code: error.code, message: error.message.replace(/(?:flat|json)\./, '') }
  }
}

/** Runs the query as it is below the limit, and as it would be over it. */
async function bothWays(
  db: Kysely<Database>,
  query: Compilable,
): Promise<{ flat: unknown; json: unknown }> {
  return {
    flat: await outcome(async () => (await db.executeQuery(query.compile())).rows),
    json: await outcome(async () => {
      // Compiling a bigint out of range fails in the flat way too.
      const { query: node, queryId } = query.compile()
      return (await db.executeQuery(compileToJsonParameters(node, queryId))).rows
    }),
  }
}

/** The values of a column as JavaScript reads them, with their type; integers exactly. */
function exactly(column: Expression<unknown>): Expression<unknown> {
  return sql`iif(typeof(${column}) = 'integer', cast(${column} as text), ${column})`
}

function readTable(db: Kysely<Database>, table: 'flat' | 'json'): Promise<unknown> {
  return db
    .selectFrom(table)
    .select((eb) => [
      'id',
      ...COLUMNS.flatMap((column) => [
        sql`${exactly(eb.ref(column))}`.as(column),
        sql`typeof(${eb.ref(column)})`.as(`typeof ${column}`),
      ]),
    ])
    .orderBy('id')
    .execute()
}

describe('random values', () => {
  it('should be stored the same as rows', () =>
    inDurableObject<Database>(({ db, exec }) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(valuesWith(value, { minLength: 6, maxLength: 6 }), {
            minLength: 1,
            maxLength: 12,
          }),
          async (rows) => {
            await exec('drop table if exists flat')
            await exec('drop table if exists json')
            await exec(`create table flat ${CREATE_TABLE}`)
            await exec(`create table json ${CREATE_TABLE}`)
            const insert = (table: 'flat' | 'json') =>
              db
                .insertInto(table)
                .values(
                  rows.map((row, id) => ({
                    id,
                    ...Object.fromEntries(COLUMNS.map((column, i) => [column, row[i]])),
                  })) as never,
                )
                .returning('id')
            const flat = await outcome(() => insert('flat').execute())
            const json = await outcome(async () => {
              const { query, queryId } = insert('json').compile()
              return (await db.executeQuery(compileToJsonParameters(query, queryId))).rows
            })
            expect(json).toEqual(flat)
            expect(await readTable(db, 'json')).toEqual(await readTable(db, 'flat'))
          },
        ),
        RUNS,
      ),
    ))

  it('should be refused the same by a STRICT table', () =>
    inDurableObject<Database>(({ db, exec }) =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom('integer', 'real', 'text', 'blob', 'any'),
          value,
          async (type, value) => {
            await exec('drop table if exists flat')
            await exec(`create table flat (id integer primary key, t ${type}) strict`)
            const { flat, json } = await bothWays(
              db,
              db
                .insertInto('flat')
                .values({ t: value } as never)
                .returning(sql`typeof(t)`.as('t')),
            )
            expect(json).toEqual(flat)
          },
        ),
        RUNS,
      ),
    ))

  it('should be found the same by lists', () =>
    inDurableObject<Database>(({ db, exec }) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(value, { minLength: 1, maxLength: 10 }),
          valuesWith(value, { minLength: 1, maxLength: 10 }),
          fc.array(fc.nat(), { maxLength: 5 }),
          fc.constantFrom('in', 'not in'),
          async (stored, random, picked, operator) => {
            const list = [...random, ...picked.map((index) => stored[index % stored.length])]
            await exec('drop table if exists flat')
            await exec(`create table flat ${CREATE_TABLE}`)
            await db
              .insertInto('flat')
              .values(
                stored.map((value, id) => ({
                  id,
                  ...Object.fromEntries(COLUMNS.map((column) => [column, value])),
                })),
              )
              .execute()
            for (const column of COLUMNS) {
              for (const left of [column, sql.ref(column), sql`+${sql.ref(column)}`] as const) {
                const { flat, json } = await bothWays(
                  db,
                  db
                    .selectFrom('flat')
                    .select('id')
                    .where((eb) => eb(left, operator, list)),
                )
                expect(json).toEqual(flat)
              }
            }
          },
        ),
        {
          ...RUNS,
          // A text of an integer beyond 2^53 and a REAL that it would be rounded to.
          examples: [
            [[2 ** 53], ['9007199254740993'], [], 'in'],
            [[2 ** 53], ['9007199254740993', 1, null], [], 'in'],
            [[2 ** 53], [2n ** 53n + 1n, null], [], 'not in'],
            [[2 ** 53, 2 ** 60], [2n ** 53n + 1n, 2n ** 60n, 'a'], [], 'not in'],
          ],
        },
      ),
    ))

  it('should be found the same by lists of tuples', () =>
    inDurableObject<Database>(({ db, exec }) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 10 }),
          fc.array(fc.tuple(value, value), { maxLength: 10 }),
          fc.constantFrom('t', 'n', 'i', 'any'),
          fc.constantFrom('t', 'n', 'i', 'any'),
          async (stored, random, first, second) => {
            await exec('drop table if exists flat')
            await exec(`create table flat ${CREATE_TABLE}`)
            await db
              .insertInto('flat')
              .values(
                stored.map(([a, b], id) => ({
                  id,
                  t: first === 't' ? a : b,
                  n: first === 'n' ? a : b,
                  i: first === 'i' ? a : b,
                  any: first === 'any' ? a : b,
                })),
              )
              .execute()
            const { flat, json } = await bothWays(
              db,
              db
                .selectFrom('flat')
                .select('id')
                .where((eb) =>
                  eb(
                    eb.refTuple(first as 't', second as 'n'),
                    'in',
                    [...stored, ...random].map(([a, b]) => eb.tuple(a, b)),
                  ),
                ),
            )
            expect(json).toEqual(flat)
          },
        ),
        RUNS,
      ),
    ))

  it('should be the same by their position', () =>
    inDurableObject<Database>(({ db }) =>
      fc.assert(
        fc.asyncProperty(fc.array(value, { minLength: 51, maxLength: 60 }), async (values) => {
          const read = (value: unknown) =>
            sql<string>`typeof(${value}) || ' ' || quote(iif(${value} is null, 0, ${value}))`
          // Each value twice in a row of at most 60 columns: more than 100 parameters.
          const { rows } = await sql<Record<string, string>>`select ${sql.join(
            values.map((value, i) => sql`${read(value)} as ${sql.ref(`c${i}`)}`),
          )}`.execute(db)
          const alone = []
          for (const value of values) {
            const result = await sql<{ c: string }>`select ${read(value)} as c`.execute(db)
            alone.push(result.rows[0]?.c)
          }
          expect(Object.values(rows[0]!)).toEqual(alone)
        }),
        RUNS,
      ),
    ))
})
