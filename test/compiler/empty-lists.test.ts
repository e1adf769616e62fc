import { type Compilable, type Generated, type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteError } from '../../src/index.js'
import { inDurableObject } from '../harness.js'

interface Database {
  item: { id: Generated<number>; name: string | null }
}

function withItem<T>(body: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  return inDurableObject<Database, T>(async ({ db, exec }) => {
    await exec('create table item (id integer primary key, name text)')
    await exec("insert into item (name) values ('Ada')")
    return body(db)
  })
}

describe('an empty list', () => {
  it.each<[string, (db: Kysely<Database>) => Compilable, RegExp]>([
    ['values([])', (db) => db.insertInto('item').values([]), /no rows.*Pass one row/],
    ['values({})', (db) => db.insertInto('item').values({}), /names no columns.*defaultValues\(\)/],
    ['values([{}, {}])', (db) => db.insertInto('item').values([{}, {}]), /names no columns/],
    [
      'columns([])',
      (db) => db.insertInto('item').columns([]).expression(db.selectFrom('item').select('id')),
      /names no columns/,
    ],
    [
      'set({})',
      (db) => db.updateTable('item').set({}).where('id', '=', 1),
      /sets nothing.*set\(\)/,
    ],
    [
      'set({ name: undefined })',
      (db) => db.updateTable('item').set({ name: undefined }),
      /sets nothing/,
    ],
    ['no set()', (db) => db.updateTable('item').where('id', '=', 1), /sets nothing/],
    ['select([])', (db) => db.selectFrom('item').select([]), /selects nothing.*selectAll\(\)/],
    ['no select()', (db) => db.selectFrom('item').where('id', '=', 1), /selects nothing/],
    [
      'a sub-select without select()',
      (db) => db.deleteFrom('item').where((eb) => eb.exists(eb.selectFrom('item'))),
      /selects nothing/,
    ],
    [
      'returning([])',
      (db) => db.insertInto('item').values({ name: 'Bob' }).returning([]),
      /returning names no columns/,
    ],
    [
      'groupBy([])',
      (db) => db.selectFrom('item').select('name').groupBy([]),
      /group by has no columns/,
    ],
    [
      'partitionBy([])',
      (db) =>
        db.selectFrom('item').select((eb) =>
          eb.fn
            .countAll()
            .over((over) => over.partitionBy([]))
            .as('count'),
        ),
      /partition by has no columns/,
    ],
    [
      'onConflict columns([])',
      (db) =>
        db
          .insertInto('item')
          .values({ id: 1 })
          .onConflict((conflict) => conflict.columns([]).doNothing()),
      /on conflict names no columns/,
    ],
    [
      'doUpdateSet({})',
      (db) =>
        db
          .insertInto('item')
          .values({ id: 1 })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({})),
      /doNothing\(\)/,
    ],
    [
      'a tuple of nothing',
      (db) =>
        db
          .selectFrom('item')
          .select('id')
          .where((eb) => eb(eb.ref('id'), 'in', [(eb.tuple as unknown as () => never)()])),
      /tuple has no values/,
    ],
    ['createTable without columns', (db) => db.schema.createTable('empty'), /table has no columns/],
  ])('should be refused, and nothing written: %s', (_, query, message) =>
    withItem(async (db) => {
      const failure = await Promise.resolve()
        .then(() => db.executeQuery(query(db).compile()))
        .catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(DurableObjectSqliteError)
      expect(failure).toMatchObject({
        code: 'ERR_EMPTY_LIST',
        message: expect.stringMatching(message),
      })
      expect(await db.selectFrom('item').selectAll().execute()).toEqual([{ id: 1, name: 'Ada' }])
    }),
  )

  it('should be taken behind in, where SQLite takes it: nothing is in it', () =>
    withItem(async (db) => {
      const items = db.selectFrom('item').select('id')
      expect(await items.where('id', 'in', []).execute()).toEqual([])
      expect(await items.where('id', 'not in', []).execute()).toEqual([{ id: 1 }])
      expect(
        await items.where((eb) => eb(eb.refTuple('id', 'name'), 'not in', [])).execute(),
      ).toEqual([{ id: 1 }])
      const { rows } = await sql`
        select id in (${sql.join([])}) as x, null not in (${sql.join([])}) as y from item
      `.execute(db)
      expect(rows).toEqual([{ x: 0, y: 1 }])
      // Beyond 100 values too.
      const ids = Array.from({ length: 200 }, (_, id) => id)
      expect(await items.where('id', 'not in', []).where('id', 'in', ids).execute()).toEqual([
        { id: 1 },
      ])
    }))

  it('should be taken where it is none: no arguments, no conditions, a row of defaults', () =>
    withItem(async (db) => {
      const query = db
        .selectFrom('item')
        .select((eb) => [
          eb.fn<number>('last_insert_rowid', []).as('rowid'),
          eb.fn.agg<number>('count', []).as('count'),
        ])
        .where((eb) => eb.and([]))
      expect(await query.execute()).toEqual([{ rowid: 1, count: 1 }])
      expect(await db.insertInto('item').defaultValues().returningAll().execute()).toEqual([
        { id: 2, name: null },
      ])
    }))
})
