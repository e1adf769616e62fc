import { type Generated, type SelectQueryBuilder, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteQueryCompiler } from '../../src/index.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'

interface Item {
  id: Generated<number>
  name: string | null
  amount: number | null
  tag: string | null
}

interface Database {
  item: Item
  copy: Item
}

const COUNTS = [99, 100, 101, 1_000, 10_000]
/** Of what binds one parameter, so many are under the limit. */
const PIECE = 50

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

function inPieces<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    values.slice(i * size, (i + 1) * size),
  )
}

async function createTables({ db }: Scope<Database>): Promise<void> {
  for (const table of ['item', 'copy'] as const) {
    await db.schema
      .createTable(table)
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text')
      .addColumn('amount', 'real')
      .addColumn('tag', 'text')
      .execute()
  }
}

/** Rows 1, 3, 5, … of so many, in both tables, so that every other id is not there. */
async function fillTables({ db }: Scope<Database>, count: number): Promise<void> {
  await sql`
    with recursive n(id) as (select 1 union all select id + 2 from n where id + 2 <= ${count})
    insert into item select id, 'name ' || id, id / 2.0, iif(id % 3 = 0, null, 'old') from n
  `.execute(db)
  await sql`insert into copy select * from item`.execute(db)
}

/** The same rows, with types, however they were written. */
async function expectSameTables({ db }: Scope<Database>): Promise<void> {
  const read = (table: 'item' | 'copy'): Promise<unknown> =>
    db
      .selectFrom(table)
      .selectAll()
      .select(sql`typeof(name) || typeof(amount) || typeof(tag)`.as('types'))
      .orderBy('id')
      .execute()
  expect(await read('item')).toEqual(await read('copy'))
}

function newRows(count: number, start = 1): { id: number; name: string; amount: number | null }[] {
  return range(count).map((i) => ({
    id: start + i - 1,
    name: `new ${i}`,
    amount: i % 7 === 0 ? null : i / 4,
  }))
}

describe.each(COUNTS)('%i values', (count) => {
  it('should find the same rows by in', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, count)
      const { db } = scope
      const find = (ids: readonly number[]): Promise<unknown[]> =>
        db.selectFrom('item').selectAll().where('id', 'in', ids).orderBy('id').execute()
      const pieces = []
      for (const ids of inPieces(range(count), PIECE)) {
        pieces.push(...(await find(ids)))
      }
      expect(pieces).toHaveLength(Math.ceil(count / 2))
      expect(await find(range(count))).toEqual(pieces)
    }))

  it('should find the same rows by not in, with null in the list and without', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, count + 10)
      const { db } = scope
      const names = range(count).map((id) => `name ${id}`)
      const all = db.selectFrom('item').select('id').orderBy('id')
      const inOnePiece = await all.where('name', 'not in', names).execute()
      const inPiecesQuery = inPieces(names, PIECE)
      let left = await all.execute()
      for (const piece of inPiecesQuery) {
        const kept = new Set(
          (await all.where('name', 'not in', piece).execute()).map(({ id }) => id),
        )
        left = left.filter(({ id }) => kept.has(id))
      }
      expect(left).toHaveLength(5)
      expect(inOnePiece).toEqual(left)
      expect(await all.where('name', 'not in', [...names, null]).execute()).toEqual([])
    }))

  it('should find the same rows by tuples', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, count)
      const { db } = scope
      const find = (ids: readonly number[]): Promise<unknown[]> =>
        db
          .selectFrom('item')
          .selectAll()
          .where((eb) =>
            eb(
              eb.refTuple('id', 'name'),
              'in',
              ids.map((id) => eb.tuple(id, id % 5 === 0 ? 'other' : `name ${id}`)),
            ),
          )
          .orderBy('id')
          .execute()
      const pieces = []
      for (const ids of inPieces(range(count), PIECE)) {
        pieces.push(...(await find(ids)))
      }
      expect(pieces.length).toBeGreaterThan(count / 3)
      expect(await find(range(count))).toEqual(pieces)
    }))

  it('should insert the same rows', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      const rows = newRows(count)
      const [result, ...others] = await db.insertInto('item').values(rows).execute()
      expect([result, others]).toEqual([
        { insertId: BigInt(count), numInsertedOrUpdatedRows: BigInt(count) },
        [],
      ])
      for (const piece of inPieces(rows, 33)) {
        await db.insertInto('copy').values(piece).execute()
      }
      await expectSameTables(scope)
    }))

  it('should upsert the same rows', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, count)
      const { db } = scope
      const upsert = (table: 'item' | 'copy', rows: ReturnType<typeof newRows>) =>
        db
          .insertInto(table)
          .values(rows)
          .onConflict((conflict) =>
            conflict.column('id').doUpdateSet((eb) => ({
              name: eb.ref('excluded.name'),
              tag: 'updated',
            })),
          )
          .executeTakeFirst()
      const rows = newRows(count)
      expect(await upsert('item', rows)).toEqual({ numInsertedOrUpdatedRows: BigInt(count) })
      for (const piece of inPieces(rows, 33)) {
        await upsert('copy', piece)
      }
      await expectSameTables(scope)
      expect(
        await db
          .insertInto('item')
          .values(rows)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst(),
      ).toMatchObject({ numInsertedOrUpdatedRows: 0n })
      expect(await db.insertInto('item').orIgnore().values(rows).executeTakeFirst()).toMatchObject({
        numInsertedOrUpdatedRows: 0n,
      })
      await expectSameTables(scope)
      await db.replaceInto('item').values(rows).execute()
      for (const piece of inPieces(rows, 33)) {
        await db.replaceInto('copy').values(piece).execute()
      }
      await expectSameTables(scope)
    }))

  it('should return the inserted rows in the same order', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      // Backwards, so that the order is not that of the keys.
      const rows = newRows(count).toReversed()
      const inserted = await db.insertInto('item').values(rows).returningAll().execute()
      const pieces = []
      for (const piece of inPieces(rows, 33)) {
        pieces.push(...(await db.insertInto('copy').values(piece).returningAll().execute()))
      }
      expect(inserted.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
      expect(inserted).toEqual(pieces)
    }))

  it('should update the same rows by case', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      // So many values are half as many pairs, and a third of it is enough rows to tell. Of 10,000 SQLite
      // takes no such text.
      count = Math.min(count, 3_000)
      await fillTables(scope, Math.ceil(count / 3))
      const { db } = scope
      const update = (table: 'item' | 'copy', ids: readonly number[]): Promise<unknown> =>
        db
          .updateTable(table)
          .set((eb) => {
            const [first, ...rest] = ids
            const start = eb.case('id').when(first!).then(`case ${first}`)
            return {
              name: rest
                .reduce((when, id) => when.when(id).then(`case ${id}`), start)
                .else(eb.ref('name'))
                .end(),
            }
          })
          .executeTakeFirst()
      const ids = range(Math.ceil(count / 2))
      expect(await update('item', ids)).toMatchObject({
        numUpdatedRows: BigInt(Math.ceil(Math.ceil(count / 3) / 2)),
      })
      for (const piece of inPieces(ids, 40)) {
        await update('copy', piece)
      }
      await expectSameTables(scope)
      expect(
        await db.selectFrom('item').select('id').where('name', 'like', 'case %').execute(),
      ).toHaveLength(Math.ceil(Math.ceil(count / 3) / 2))
    }))

  it('should find the same rows by sql.join', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, count)
      const { db } = scope
      const ids = range(count)
      const { rows } = await sql`
        select * from item where id in (${sql.join(ids)}) and name <> ${'nobody'} order by id
      `.execute(db)
      expect(rows).toEqual(
        await db.selectFrom('item').selectAll().where('id', '<=', count).orderBy('id').execute(),
      )
    }))
})

describe('the SQL over the limit', () => {
  it('should be as it was up to 100 parameters', () =>
    inDurableObject<Database>(({ db }) => {
      const find = (count: number) =>
        db.selectFrom('item').select('id').where('id', 'in', range(count)).compile()
      expect(find(100)).toMatchObject({
        sql: `select \`id\` from \`item\` where \`id\` in (${range(100)
          .map(() => '?')
          .join(', ')})`,
        parameters: range(100),
      })
      expect(find(101)).toMatchObject({
        sql: 'select `id` from `item` where `id` in (select +value from json_each(?))',
        parameters: [`[${range(101).join('.0,')}.0]`],
      })
    }))

  it('should be one text for lists of every length', () =>
    inDurableObject<Database>(({ db }) => {
      const texts = [101, 102, 1_000, 10_000].map(
        (count) =>
          db
            .selectFrom('item')
            .select('id')
            .where('id', 'in', range(count))
            .where('tag', 'not in', range(count).map(String))
            .where('name', '=', 'Ada')
            .compile().sql,
      )
      expect(new Set(texts)).toEqual(
        new Set([
          'select `id` from `item` where `id` in (select +value from json_each(?)) ' +
            'and `tag` not in (select +value from json_each(?)) and `name` = ?',
        ]),
      )
    }))

  // Not remote: a Worker does not know which functions the SQLite of the object has.
  it.skipIf(isRemote)('should be one text for rows of every number', () =>
    inDurableObject<Database>(({ db }) => {
      const texts = [40, 1_000, 10_000].map(
        (count) =>
          db
            .insertInto('item')
            .values(newRows(count))
            .onConflict((conflict) => conflict.doNothing())
            .returning('id')
            .compile().sql,
      )
      expect(new Set(texts)).toEqual(
        new Set([
          'insert into `item` (`id`, `name`, `amount`) select value ->> 0, value ->> 1, ' +
            'value ->> 2 from jsonb_each(?) where true on conflict do nothing returning `id`',
        ]),
      )
    }),
  )

  // Not remote: a Worker does not know which functions the SQLite of the object has.
  it.skipIf(isRemote)('should do without jsonb_each where SQLite is too old for it', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      const query = db.insertInto('item').values(newRows(200)).compile()
      const { sql: text, parameters } = new DurableObjectSqliteQueryCompiler().compileQuery(
        query.query,
        query.queryId,
      )
      expect(text).toBe(query.sql.replace('jsonb_each', 'json_each'))
      expect(text).not.toBe(query.sql)
      await scope.exec(text, ...parameters)
      await db.insertInto('copy').values(newRows(200)).execute()
      await expectSameTables(scope)
    }),
  )

  // Not remote: a Worker does not know which functions the SQLite of the object has.
  it.skipIf(isRemote)('should use the index', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      await db.schema.createIndex('item_name').on('item').columns(['name', 'tag']).execute()
      const plan = async <O>(query: SelectQueryBuilder<Database, 'item', O>): Promise<string[]> =>
        (await query.explain<{ detail: string }>(undefined, sql`query plan`)).map(
          ({ detail }) => detail,
        )
      const items = db.selectFrom('item').selectAll()
      expect(await plan(items.where('id', 'in', range(1_000)))).toMatchInlineSnapshot(`
        [
          "SEARCH item USING INTEGER PRIMARY KEY (rowid=?)",
          "LIST SUBQUERY 1",
          "SCAN json_each VIRTUAL TABLE INDEX 1:",
        ]
      `)
      expect(await plan(items.where('name', 'in', range(1_000).map(String))))
        .toMatchInlineSnapshot(`
        [
          "SEARCH item USING INDEX item_name (name=?)",
          "LIST SUBQUERY 1",
          "SCAN json_each VIRTUAL TABLE INDEX 1:",
        ]
      `)
      expect(
        await plan(
          items.where((eb) =>
            eb(
              eb.refTuple('name', 'tag'),
              'in',
              range(1_000).map((id) => eb.tuple(`name ${id}`, 'old')),
            ),
          ),
        ),
      ).toMatchInlineSnapshot(`
        [
          "SEARCH item USING INDEX item_name (name=? AND tag=?)",
          "LIST SUBQUERY 3",
          "SCAN jsonb_each VIRTUAL TABLE INDEX 1:",
        ]
      `)
      const byOr = await plan(items.where((eb) => eb.or(range(101).map((id) => eb('id', '=', id)))))
      expect(new Set(byOr)).toContain('SEARCH item USING INTEGER PRIMARY KEY (rowid=?)')
      expect(byOr.filter((detail) => detail.startsWith('SCAN'))).toEqual([])
    }),
  )

  it('should take its values by position where they are in no list', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 300)
      const { db } = scope
      const query = db
        .selectFrom('item')
        .select('id')
        .where((eb) => eb.or(range(101).map((id) => eb('name', '=', `name ${id}`))))
        .where('id', 'in', [1, 2, 3, 4, 5])
        .where('amount', '<', 2)
        .limit(10)
      const { sql: text, parameters } = query.compile()
      expect(parameters).toHaveLength(2)
      expect(text).toContain('`name` = (?1 ->> 100)')
      expect(text).toMatch(
        / and `id` in \(select \+value from json_each\(\?2\)\) and `amount` < \(\?1 ->> 101\) limit \(\?1 ->> 102\)$/,
      )
      expect(await query.execute()).toEqual([{ id: 1 }, { id: 3 }])
    }))

  it('should take even its lists by position where there are more than 100', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 300)
      const { db } = scope
      const query = db
        .selectFrom('item')
        .select('id')
        .where((eb) => eb.or(range(120).map((id) => eb('id', 'in', [id, id + 1]))))
      expect(query.compile().parameters).toHaveLength(1)
      expect(await query.execute()).toEqual(
        range(121)
          .filter((id) => id % 2 === 1)
          .map((id) => ({ id })),
      )
    }))
})

describe('a case of more terms than fit', () => {
  it.each([
    [5_000, 'SQLITE_TOOBIG', /a long case, into several statements/],
    [2_200, 'SQLITE_NOMEM', /25,000 instructions.*json_each/],
  ])('should be refused with a hint, and write nothing: %i', (count, code, hint) =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 10)
      const { db } = scope
      const update = db.updateTable('item').set((eb) => ({
        name: range(count)
          .reduce((when, id) => when.when(id).then('new'), eb.case('id').when(0).then('new'))
          .end(),
      }))
      await expect(update.execute()).rejects.toMatchObject({
        code,
        hint: expect.stringMatching(hint),
      })
      await expectSameTables(scope)
    }),
  )
})

describe('rows of more than values', () => {
  it('should insert expressions and sub-queries', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 20)
      const { db } = scope
      const insert = (table: 'item' | 'copy', ids: readonly number[]) =>
        db
          .insertInto(table)
          .values((eb) =>
            ids.map((id) => ({
              id: 100 + id,
              name:
                id % 2 === 0
                  ? sql<string>`upper(${`name ${id}`}) || ${id}`
                  : id % 3 === 0
                    ? eb
                        .selectFrom('copy as value')
                        .select('value.name')
                        .where('value.id', '=', (id % 20) + 1)
                        .where('value.id', 'in', [1, 3, 5, 7, (id % 20) + 1])
                    : `plain ${id}`,
              amount: eb.lit(id),
              tag: sql<string>`typeof(${id})`,
            })),
          )
          .returning(['id', 'name', 'amount', 'tag'])
          .execute()
      const inserted = await insert('item', range(200))
      const pieces = []
      for (const piece of inPieces(range(200), 7)) {
        pieces.push(...(await insert('copy', piece)))
      }
      expect(inserted).toEqual(pieces)
    }))

  it('should insert NULL for a missing key, as under the limit', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      const rows = newRows(200).map((row) =>
        row.id % 3 === 0 ? { name: row.name } : { name: row.name, tag: `tag ${row.id}` },
      )
      await db.insertInto('item').values(rows).execute()
      for (const piece of inPieces(rows, 20)) {
        await db.insertInto('copy').values(piece).execute()
      }
      await expectSameTables(scope)
      expect(
        await db.selectFrom('item').select('id').where('tag', 'is', null).execute(),
      ).toHaveLength(66)
    }))

  it('should name no column of jsonb_each in a sub-query', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      const { db } = scope
      const insert = (count: number) =>
        db
          .insertInto('item')
          .values(
            range(count).map((id) => ({
              id,
              name: sql<string>`(select key from copy where id = ${id})`,
            })),
          )
          .execute()
      await expect(insert(2)).rejects.toThrow('no such column: key')
      await expect(insert(200)).rejects.toThrow('no such column: key')
    }))

  it('should keep a list with expressions a list', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 500)
      const { db } = scope
      const found = await db
        .selectFrom('item')
        .select('id')
        .where((eb) => eb('id', 'in', [...range(150), eb.fn<number>('abs', [eb.val(-301)])]))
        .execute()
      expect(found).toEqual([...range(150).filter((id) => id % 2 === 1), 301].map((id) => ({ id })))
    }))

  it('should work in common table expressions and sub-queries', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 1_000)
      const { db } = scope
      const ids = range(500)
      expect(
        await db
          .with('chosen', (db) => db.selectFrom('item').select('id').where('id', 'in', ids))
          .selectFrom('item')
          .select(({ fn }) => fn.countAll().as('count'))
          .where('id', 'in', (eb) =>
            eb.selectFrom('chosen').select('chosen.id').where('chosen.id', 'not in', range(400)),
          )
          .execute(),
      ).toEqual([{ count: 50 }])
      expect(
        await db.deleteFrom('item').where('id', 'in', range(1_000)).executeTakeFirst(),
      ).toEqual({ numDeletedRows: 500n })
    }))

  it('should choose by case as SQLite does', () =>
    inDurableObject<Database>(async (scope) => {
      await createTables(scope)
      await fillTables(scope, 300)
      const { db } = scope
      // The first of several matches wins, NULL matches nothing, and a result may be NULL.
      const query = (ids: readonly (number | null)[]) =>
        db
          .selectFrom('item')
          .select((eb) => {
            const start = eb.case('name').when('name 1').then<string | number | null>('first')
            return [
              'id',
              ids
                .reduce(
                  (when, id, i) =>
                    when
                      .when(id === null ? null : `name ${id % 90}`)
                      .then(i % 4 === 0 ? null : i % 4 === 1 ? i : `term ${i}`),
                  start,
                )
                .end()
                .as('chosen'),
            ]
          })
          .where('id', '<', 95)
          .orderBy('id')
      const long = query([null, ...range(150)])
      expect(long.compile().parameters).toHaveLength(1)
      const chosen = await long.execute()
      expect(chosen.slice(0, 4)).toEqual([
        { id: 1, chosen: 'first' },
        { id: 3, chosen: 'term 3' },
        { id: 5, chosen: 5 },
        { id: 7, chosen: 'term 7' },
      ])
      expect(chosen).toEqual(await query([null, ...range(90)]).execute())
    }))
})
