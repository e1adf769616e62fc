import { CompiledQuery, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'

interface Database {
  cell: {
    id: number
    i: unknown
    t: unknown
    r: unknown
    b: unknown
    n: unknown
    s: unknown
  }
  strict_cell: { any: unknown }
}

type Cell = Scope<Database>

/** Columns of each affinity: INTEGER, TEXT, REAL, BLOB, NUMERIC; and ANY in a STRICT table. */
const schema = `
  create table cell (id integer primary key, i integer, t text, r real, b blob, n numeric, s);
  create table strict_cell (any any) strict;
`

function withCells<T>(body: (scope: Cell) => T | Promise<T>): Promise<T> {
  return inDurableObject<Database, T>(async (scope) => {
    await scope.exec(schema)
    return body(scope)
  })
}

/** What a value is stored as in a column of each affinity, and what it is read back as. */
async function store({ db }: Cell, value: unknown) {
  // Kysely leaves out a column whose value is undefined, and calls a function.
  const bound = sql.val(value)
  await db.deleteFrom('cell').execute()
  await db.deleteFrom('strict_cell').execute()
  await db
    .insertInto('cell')
    .values({ id: 1, i: bound, t: bound, r: bound, b: bound, n: bound, s: bound })
    .execute()
  await db.insertInto('strict_cell').values({ any: bound }).execute()
  const stored = await db
    .selectFrom('cell')
    .select((eb) => [
      eb.fn<string>('typeof', ['i']).as('integer'),
      eb.fn<string>('typeof', ['t']).as('text'),
      eb.fn<string>('typeof', ['r']).as('real'),
      eb.fn<string>('typeof', ['b']).as('blob'),
      eb.fn<string>('typeof', ['n']).as('numeric'),
      eb.fn<string>('typeof', ['s']).as('none'),
    ])
    .executeTakeFirstOrThrow()
  const strict = await db
    .selectFrom('strict_cell')
    .select((eb) => ['any', eb.fn<string>('typeof', ['any']).as('type')])
    .executeTakeFirstOrThrow()
  const read = await db
    .selectFrom('cell')
    .select(['i', 't', 'r', 'b', 'n', 's'])
    .executeTakeFirstOrThrow()
  return { stored: { ...stored, strict: strict.type }, read: { ...read, any: strict.any } }
}

function everywhere<T>(value: T) {
  return { i: value, t: value, r: value, b: value, n: value, s: value, any: value }
}

function types(type: string) {
  return {
    integer: type,
    text: type,
    real: type,
    blob: type,
    numeric: type,
    none: type,
    strict: type,
  }
}

describe('a bound value', () => {
  it.each([[null], [undefined]])('should store %s as NULL', (value) =>
    withCells(async (scope) => {
      expect(await store(scope, value)).toEqual({ stored: types('null'), read: everywhere(null) })
    }),
  )

  it('should store a number as SQLite stores a REAL in the column', () =>
    withCells(async (scope) => {
      expect(await store(scope, 5)).toEqual({
        stored: { ...types('real'), integer: 'integer', text: 'text', numeric: 'integer' },
        read: { ...everywhere(5), t: '5.0' },
      })
      expect(await store(scope, 1.5)).toEqual({
        stored: { ...types('real'), text: 'text' },
        read: { ...everywhere(1.5), t: '1.5' },
      })
    }))

  it('should keep -0 and Infinity where the column keeps a REAL', () =>
    withCells(async (scope) => {
      const zero = await store(scope, -0)
      expect(zero.stored).toEqual({
        ...types('real'),
        integer: 'integer',
        text: 'text',
        numeric: 'integer',
      })
      expect(await store(scope, Infinity)).toEqual({
        stored: { ...types('real'), text: 'text' },
        read: { ...everywhere(Infinity), t: 'Inf' },
      })
      expect(await store(scope, -Infinity)).toEqual({
        stored: { ...types('real'), text: 'text' },
        read: { ...everywhere(-Infinity), t: '-Inf' },
      })
    }))

  it.each([
    ['an ordinary text', 'Ada'],
    ['an empty text', ''],
    ['a text with NUL', 'a\0b'],
    ['a text beyond the basic plane', 'a😀b'],
  ])('should store %s as it is', (_, value) =>
    withCells(async (scope) => {
      expect(await store(scope, value)).toEqual({
        stored: types('text'),
        read: everywhere(value),
      })
    }),
  )

  it.each([
    0n,
    -1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('should store the bigint %d exactly, as an INTEGER', (value) =>
    withCells(async (scope) => {
      const { stored } = await store(scope, value)
      expect(stored).toEqual({ ...types('integer'), text: 'text', real: 'real' })
      const exact = await scope.db
        .selectFrom(['cell', 'strict_cell'])
        .select((eb) => [
          eb.cast<string>('i', 'text').as('i'),
          eb.cast<string>('t', 'text').as('t'),
          eb.cast<string>('b', 'text').as('b'),
          eb.cast<string>('n', 'text').as('n'),
          eb.cast<string>('s', 'text').as('s'),
          eb.cast<string>('any', 'text').as('any'),
        ])
        .executeTakeFirstOrThrow()
      const digits = value.toString()
      expect(exact).toEqual({ i: digits, t: digits, b: digits, n: digits, s: digits, any: digits })
      const found = await scope.db.selectFrom('cell').select('id').where('s', '=', value).execute()
      expect(found).toEqual([{ id: 1 }])
    }),
  )

  it.each([
    [true, 1],
    [false, 0],
  ])('should store %s as %d', (value, number) =>
    withCells(async (scope) => {
      const { read } = await store(scope, value)
      expect(read).toEqual({ ...everywhere(number), t: `${number}.0` })
    }),
  )

  const bytes = new Uint8Array([1, 2, 3, 4, 5, 6])
  it.each([
    ['a Uint8Array', bytes, [1, 2, 3, 4, 5, 6]],
    ['an empty Uint8Array', new Uint8Array(), []],
    ['a view into a larger buffer', bytes.subarray(2, 4), [3, 4]],
    ['a Uint16Array', new Uint16Array(bytes.buffer, 2, 1), [3, 4]],
    ['a DataView', new DataView(bytes.buffer, 1, 2), [2, 3]],
    ['an ArrayBuffer', bytes.buffer, [1, 2, 3, 4, 5, 6]],
  ])('should store %s as a BLOB', (_, value, content) =>
    withCells(async (scope) => {
      expect(await store(scope, value)).toEqual({
        stored: types('blob'),
        read: everywhere(new Uint8Array(content)),
      })
    }),
  )

  it('should store a BLOB of a megabyte', () =>
    withCells(async ({ db }) => {
      const large = new Uint8Array(1_000_000).map((_, i) => i % 251)
      await db.insertInto('cell').values({ id: 1, b: large }).execute()
      const { b } = await db.selectFrom('cell').select('b').executeTakeFirstOrThrow()
      const read = b as Uint8Array
      expect(read.length).toBe(large.length)
      expect(read.every((byte, i) => byte === large[i])).toBe(true)
    }))
})

describe('a value read', () => {
  it('should be a number, a string, null or a Uint8Array', () =>
    withCells(async ({ db }) => {
      const { rows } =
        await sql`select 1 as i, 1.5 as r, 'a' as t, null as n, x'0102' as b`.execute(db)
      expect(rows).toEqual([{ i: 1, r: 1.5, t: 'a', n: null, b: new Uint8Array([1, 2]) }])
    }))

  it('should be a Uint8Array of its own memory', () =>
    withCells(async ({ db }) => {
      const { rows } = await sql<{
        a: Uint8Array
        b: Uint8Array
      }>`select x'01' as a, x'02' as b`.execute(db)
      const [row] = rows
      row?.a.fill(9)
      expect(row).toEqual({ a: new Uint8Array([9]), b: new Uint8Array([2]) })
    }))

  it('should be -0 where a REAL is', () =>
    withCells(async ({ db }) => {
      const { rows } = await sql<{ zero: number }>`select ${-0} as zero`.execute(db)
      expect(Object.is(rows[0]?.zero, -0)).toBe(true)
    }))
})

describe('a value that SQLite would store as something else', () => {
  class Money {
    readonly cents = 1
  }
  it.each([
    [
      'NaN',
      NaN,
      'Parameter 2, for the column cell.s, is NaN, which SQLite would store as NULL. Pass null if that is meant.',
    ],
    [
      'a Date',
      new Date(0),
      'Parameter 2, for the column cell.s, is a Date. Pass date.toISOString() for a TEXT column or date.getTime() for an INTEGER column, or declare the column as a date in the option columns.',
    ],
    [
      'a plain object',
      { a: 1 },
      'Parameter 2, for the column cell.s, is an object. Pass JSON.stringify(value), or one of its properties.',
    ],
    [
      'an object without prototype',
      Object.create(null),
      'Parameter 2, for the column cell.s, is an object. Pass JSON.stringify(value), or one of its properties.',
    ],
    [
      'an instance of a class',
      new Money(),
      'Parameter 2, for the column cell.s, is an object of the class Money. Pass JSON.stringify(value), or one of its properties.',
    ],
    [
      'an array',
      [1, 2],
      "Parameter 2, for the column cell.s, is an array. Pass JSON.stringify(value) to store it, or the array itself to the 'in' operator.",
    ],
    [
      'a symbol',
      Symbol('a'),
      'Parameter 2, for the column cell.s, is a symbol. Pass symbol.description, or another string.',
    ],
    [
      'a text with a lone surrogate',
      'a\ud800',
      'Parameter 2, for the column cell.s, is a string with a lone surrogate, which would not be read back as it is. Pass value.toWellFormed(), or the bytes as a Uint8Array.',
    ],
    [
      'a bigint above int64',
      2n ** 63n,
      "A bigint does not fit in SQLite's INTEGER of 64 bits. Pass String(value) and store it in a TEXT column.",
    ],
    [
      'a bigint below int64',
      -(2n ** 63n) - 1n,
      "A bigint does not fit in SQLite's INTEGER of 64 bits. Pass String(value) and store it in a TEXT column.",
    ],
  ])('should be refused before anything is written: %s', (_, value, message) =>
    withCells(async ({ db, exec }) => {
      const insert = db
        .insertInto('cell')
        .values({ id: 1, s: sql.val(value) })
        .execute()
      await expect(insert).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_PARAMETER', message })
      expect(await exec('select * from cell')).toEqual([])
    }),
  )

  it('should be refused by the name of the column that it is for, where the query tells', () =>
    withCells(async (scope) => {
      const { db } = scope
      const date: unknown = new Date(0)
      const queries: [string, () => unknown][] = [
        [
          'Parameter 4, for the column cell.s, is',
          () =>
            db
              .insertInto('cell')
              .values([
                { id: 1, s: 1 },
                { id: 2, s: date },
              ])
              .execute(),
        ],
        [
          'Parameter 3, for the column cell.t, is',
          () =>
            db
              .insertInto('cell')
              .values({ id: 1, s: 1 })
              .onConflict((it) => it.column('id').doUpdateSet({ t: date }))
              .execute(),
        ],
        [
          'Parameter 1, for the column cell.t, is',
          () => db.updateTable('cell').set({ t: date }).where('id', '=', 1).execute(),
        ],
        [
          'Parameter 2, for the column cell.t, is',
          () => db.deleteFrom('cell').where('id', '=', 1).where('cell.t', '=', date).execute(),
        ],
        [
          'Parameter 3, for the column id, is',
          () =>
            db
              .selectFrom('cell')
              .selectAll()
              .where('id', 'in', [1, 2, date as number])
              .execute(),
        ],
        ['Parameter 1 is', () => db.selectNoFrom(sql.val(date).as('a')).execute()],
        [
          'Parameter 1, for the column cell.t, is',
          async () =>
            new SyncExecutor(db, scope.storage)
              .prepare((param: QueryParameters<{ t: unknown }>) =>
                db.updateTable('cell').set({ t: param('t') }),
              )
              .execute({ t: date }),
        ],
      ]
      // The last is for the object itself.
      for (const [start, run] of isRemote ? queries.slice(0, -1) : queries) {
        const error: unknown = await Promise.resolve(run()).catch((it: unknown) => it)
        expect(String(error)).toMatch(`DurableObjectSqliteError: ${start} a Date.`)
      }
    }))

  it('should be refused for a function, which Kysely itself passes on only in SQL of your own', () =>
    withCells(async ({ db }) => {
      const query = CompiledQuery.raw('insert into cell (s) values (?)', [() => 1])
      await expect(db.executeQuery(query)).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED_PARAMETER',
        message: 'Parameter 1 is a function. Pass the value that it returns.',
      })
    }))

  it('should be refused for a bigint in SQL that was not compiled here, which has no cast', () =>
    withCells(async ({ db }) => {
      const query = CompiledQuery.raw('insert into cell (s) values (?)', [1n])
      await expect(db.executeQuery(query)).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED_PARAMETER',
        message:
          'Parameter 1 is a bigint in SQL text that this dialect did not compile. Use the query builder or the sql template tag, or write +cast(? as integer) and pass String(value).',
      })
    }))
})
