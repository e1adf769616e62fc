import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteError } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  file: { id: number; name: unknown; body: unknown; note: unknown }
}

async function createFile({ db }: Scope<Database>): Promise<void> {
  await db.schema
    .createTable('file')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.unique())
    .addColumn('body', 'blob')
    .addColumn('note', 'text')
    .execute()
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

function rows(count: number): { id: number; name: string; body: unknown; note: string }[] {
  return range(count).map((id) => ({ id, name: `name ${id}`, body: id, note: 'short' }))
}

/** A BLOB that starts with the id. */
function blob(id: number, bytes: number): Uint8Array {
  const blob = new Uint8Array(bytes)
  blob[0] = id
  return blob
}

const MB = 1_000_000

describe('values over the limit', () => {
  it.each([
    ['a number', 5, 'real'],
    ['minus zero', -0, 'real'],
    ['infinity', Infinity, 'real'],
    ['minus infinity', -Infinity, 'real'],
    ['the smallest number', 5e-324, 'real'],
    ['the largest number', Number.MAX_VALUE, 'real'],
    ['a text with NUL', 'a\0b', 'text'],
    ['a text of quotes and escapes', `'"\\\n\u2028\u{1f600}`, 'text'],
    ['an empty text', '', 'text'],
    ['null', null, 'null'],
    ['a BLOB', new Uint8Array([0, 255]), 'blob'],
    ['an empty BLOB', new Uint8Array(), 'blob'],
    ['a boolean', true, 'real'],
    ['a bigint', 2n ** 63n - 1n, 'integer'],
  ])('should keep %s exactly', (_, value, type) =>
    inDurableObject<Database>(async ({ db }) => {
      await sql`create table file (id integer primary key, name, body, note)`.execute(db)
      await db
        .insertInto('file')
        .values(range(100).map((id) => ({ id, name: value, body: id, note: 'x' })))
        .execute()
      await db.insertInto('file').values({ id: 101, name: value, body: 0, note: 'x' }).execute()
      const read = (id: number) =>
        db
          .selectFrom('file')
          .select(['name', sql`typeof(name)`.as('type'), sql`cast(name as text)`.as('text')])
          .where('id', '=', id)
          .executeTakeFirst()
      const over = await read(1)
      expect(over).toEqual(await read(101))
      expect(over).toMatchObject({ type })
      expect(
        await db
          .selectFrom('file')
          .select('id')
          .where('name', 'in', [...range(100).map((i) => `other ${i}`), value])
          .execute(),
      ).toHaveLength(value === null ? 0 : 101)
    }),
  )

  it('should spread a JSON text of more than 2 MB over several parameters', () =>
    inDurableObject<Database>(async (scope) => {
      await createFile(scope)
      const { db } = scope
      const long = range(300).map((id) => ({
        id,
        // Three bytes a letter.
        name: `${id} ${'€'.repeat(10_000)}`,
        body: id % 2 === 0 ? blob(id, 5_000) : null,
        note: 'x',
      }))
      const insert = db.insertInto('file').values(long).returning('id')
      const { parameters } = insert.compile()
      expect(parameters.length).toBeGreaterThan(5)
      expect(
        Math.max(...parameters.map((json) => new TextEncoder().encode(json as string).byteLength)),
      ).toBeLessThan(2 * MB)
      expect(await insert.execute()).toEqual(long.map(({ id }) => ({ id })))
      expect(await db.selectFrom('file').selectAll().orderBy('id').execute()).toEqual(long)

      const found = db
        .selectFrom('file')
        .select('id')
        .where('name', 'in', [...long.map(({ name }) => name), 'none'])
        .orderBy('id')
      expect(found.compile().parameters.length).toBeGreaterThan(4)
      expect(await found.execute()).toEqual(long.map(({ id }) => ({ id })))
    }))

  it('should bind values that are too large for a JSON text', () =>
    inDurableObject<Database>(async (scope) => {
      await createFile(scope)
      const { db } = scope
      const large = rows(50).map((row) =>
        row.id % 20 === 0
          ? { ...row, body: blob(row.id, 1.5 * MB) }
          : row.id % 20 === 1
            ? // One row whose values fit in a JSON text alone, but not together.
              { ...row, body: blob(row.id, 0.8 * MB), note: 'n'.repeat(MB) }
            : row,
      )
      const insert = db.insertInto('file').values(large)
      // Two BLOBs beyond 1 MB, three rows of two values each, and one JSON text at least.
      expect(insert.compile().parameters.length).toBeLessThan(12)
      await insert.execute()
      const stored = await db.selectFrom('file').selectAll().orderBy('id').execute()
      // Comparing millions of bytes one by one takes long.
      const summary = ({ body, ...row }: (typeof stored)[number]): unknown => ({
        ...row,
        body: body instanceof Uint8Array ? [body.byteLength, body[0]] : body,
      })
      expect(stored.map(summary)).toEqual(large.map(summary))
      expect(
        await db
          .selectFrom('file')
          .select('id')
          .where('body', 'in', [...range(101), ...large.map(({ body }) => body)])
          .execute(),
      ).toHaveLength(50)
    }))

  it('should say so where even JSON texts are too many, and write nothing', () =>
    inDurableObject<Database>(async (scope) => {
      await createFile(scope)
      const { db } = scope
      const body = blob(1, 1.1 * MB)
      const error = await db
        .insertInto('file')
        .values(rows(101).map((row) => ({ ...row, body })))
        .execute()
        .catch((error: unknown) => error)
      expect(error).toBeInstanceOf(DurableObjectSqliteError)
      expect(error).toMatchInlineSnapshot(
        `[DurableObjectSqliteError: The values of the query are so large that they take 102 parameters of 2000000 bytes, and the platform allows 100. Send them in several queries, inside db.transaction() if they belong together.]`,
      )
      expect(error).toMatchObject({ code: 'ERR_TOO_MANY_PARAMETERS' })
      expect(await db.selectFrom('file').selectAll().execute()).toEqual([])
    }))
})

describe('errors over the limit', () => {
  it.each([
    ['a Date', new Date(0)],
    ['an object', { a: 1 }],
    ['an array', [1]],
    ['NaN', Number.NaN],
    ['a string with a lone surrogate', 'a\ud800'],
    ['a bigint beyond 64 bits', 2n ** 63n],
  ])('should refuse %s as under the limit, and write nothing', (_, value) =>
    inDurableObject<Database>(async (scope) => {
      await createFile(scope)
      const { db } = scope
      const failure = async (query: { execute(): Promise<unknown> }): Promise<unknown> =>
        query.execute().then(
          () => undefined,
          // Beyond the limit the values are read before there is a statement, and so no `sql`.
          (error: unknown) =>
            error instanceof DurableObjectSqliteError
              ? { code: error.code, message: error.message, hint: error.hint }
              : error,
        )
      const withValue = (count: number) =>
        rows(count).map((row) => (row.id === 20 ? { ...row, body: value } : row))
      const under = await failure(db.insertInto('file').values(withValue(25)))
      const over = await failure(db.insertInto('file').values(withValue(100)))
      expect(under).toMatchObject({ code: 'ERR_UNSUPPORTED_PARAMETER' })
      expect(over).toEqual(under)
      const find = (count: number) =>
        db
          .selectFrom('file')
          .select('id')
          .where('id', 'in', range(10))
          .where('body', 'in', [...range(40), value, ...range(count)])
      expect(await failure(find(100))).toEqual(await failure(find(1)))
      expect(await db.selectFrom('file').selectAll().execute()).toEqual([])
    }),
  )

  it('should undo every row of an insert that violates a constraint', () =>
    inDurableObject<Database>(async (scope) => {
      await createFile(scope)
      const { db } = scope
      const withDuplicate = rows(200).map((row) =>
        row.id === 150 ? { ...row, name: 'name 3' } : row,
      )
      await expect(db.insertInto('file').values(withDuplicate).execute()).rejects.toMatchObject({
        code: 'SQLITE_CONSTRAINT_UNIQUE',
        message:
          'UNIQUE constraint failed: file.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)',
      })
      expect(await db.selectFrom('file').selectAll().execute()).toEqual([])
    }))

  it('should report each statement once, with the rows that json_each reads', () => {
    const events: unknown[] = []
    return inDurableObject<Database>(
      async (scope) => {
        await createFile(scope)
        const { db } = scope
        await db.insertInto('file').values(rows(200)).execute()
        events.length = 0
        await db.selectFrom('file').select('id').where('id', 'in', range(100)).execute()
        await db.selectFrom('file').select('id').where('id', 'in', range(200)).execute()
        expect(events).toEqual([
          // Two for each id in a list, and one more for each in a JSON text.
          { rowsRead: 200, rowsWritten: 0 },
          { rowsRead: 600, rowsWritten: 0 },
        ])
      },
      {
        dialect: { onQuery: ({ rowsRead, rowsWritten }) => events.push({ rowsRead, rowsWritten }) },
      },
    )
  })

  it('should explain the limit for SQL text that is not compiled here', () =>
    inDurableObject<Database>(async ({ db }) => {
      const { CompiledQuery } = await import('kysely')
      const placeholders = range(101)
        .map(() => '?')
        .join(', ')
      await expect(
        db.executeQuery(CompiledQuery.raw(`select 1 in (${placeholders})`, range(101))),
      ).rejects.toMatchObject({
        code: 'SQLITE_ERROR',
        message: expect.stringMatching(/^too many SQL variables at offset \d+: SQLITE_ERROR$/),
        hint: expect.stringContaining('in (select value from json_each(?))'),
      })
    }))
})
