import { ParseJSONResultsPlugin, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/sqlite'
import { expect, it } from 'vitest'
import { columnTypes, json } from '../../src/columns/index.js'
import { type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject } from '../harness.js'
import { type Prefs, withPeople } from './people.js'

const BIG = 2n ** 62n + 1n

it('should encode the parameters of a prepared query and stay compiled once', () =>
  withPeople(async ({ db, storage }) => {
    const sync = new SyncExecutor(db, storage)
    let builds = 0
    interface Values {
      name: string
      active: boolean
      born: Date | null
      prefs: Prefs
      balance: bigint | null
    }
    const insert = sync.prepare((param: QueryParameters<Values>) => {
      builds++
      return db.insertInto('person').values({
        name: param('name'),
        active: param('active'),
        born: param('born'),
        prefs: param('prefs'),
        balance: param('balance'),
      })
    })
    const before = builds
    insert.run({
      name: 'Ada',
      active: true,
      born: new Date(5),
      prefs: { theme: 'x' },
      balance: BIG,
    })
    insert.run({ name: 'Bob', active: false, born: null, prefs: { theme: 'y' }, balance: null })
    expect(builds).toBe(before)
    expect(
      storage.sql
        .exec(
          'select name, active, born, prefs, cast(balance as text) as b, typeof(balance) as t from person',
        )
        .toArray(),
    ).toEqual([
      { name: 'Ada', active: 1, born: 5, prefs: '{"theme":"x"}', b: String(BIG), t: 'integer' },
      { name: 'Bob', active: 0, born: null, prefs: '{"theme":"y"}', b: null, t: 'null' },
    ])

    const find = sync.prepare(
      (
        param: QueryParameters<{ balances: bigint[]; dates: Date[]; active: boolean; id: bigint }>,
      ) => {
        builds++
        return db
          .selectFrom('person')
          .select(['name', 'balance', 'active'])
          .where('balance', 'in', param('balances'))
          .where('born', 'in', param('dates'))
          .where('active', '=', param('active'))
          .where(sql<bigint>`length(name) - 2`, '=', param('id'))
      },
    )
    const built = builds
    const dates = [new Date(5), new Date(6)]
    for (const balances of [[1n], [1n, 2n, 3n]]) {
      expect(find.execute({ balances, dates, active: true, id: 1n })).toEqual([])
      // Once more for the bigint that meets no column.
      expect(builds).toBe(built + 1)
    }
    // SQLite rounds such an integer where the column is REAL, so that a list of them has SQL of its own.
    expect(find.execute({ balances: [1n, BIG], dates, active: true, id: 1n })).toEqual([
      { name: 'Ada', balance: BIG, active: true },
    ])
    expect(builds).toBe(built + 2)
    expect(find.execute({ balances: [BIG - 1n], dates, active: true, id: 1n })).toEqual([])
    expect(find.execute({ balances: [BIG], dates: [], active: true, id: 1n })).toEqual([])
  }))

it('should name the column of a parameter that cannot be stored', () =>
  withPeople(async ({ db, storage }) => {
    const sync = new SyncExecutor(db, storage)
    const query = sync.prepare((param: QueryParameters<{ born: Date[] }>) =>
      db.selectFrom('person').select('id').where('born', 'in', param('born')),
    )
    expect(() => query.execute({ born: [new Date(0), new Date(Number.NaN)] })).toThrow(
      'A value for person.born is an invalid Date. Pass a valid one, or null.',
    )
  }))

it('should compare a JSON array as one value', () =>
  inDurableObject<{ t: { tags: string[] } }>(
    async ({ db, sql }) => {
      sql.exec('create table t (tags text)')
      await db
        .insertInto('t')
        .values([{ tags: ['a', 'b'] }, { tags: [] }])
        .execute()
      const find = (operator: '=' | '!=', tags: string[]): Promise<unknown> =>
        db.selectFrom('t').selectAll().where('tags', operator, tags).execute()
      expect(await find('=', ['a', 'b'])).toEqual([{ tags: ['a', 'b'] }])
      expect(await find('!=', ['a', 'b'])).toEqual([{ tags: [] }])
      expect(await find('=', [])).toEqual([{ tags: [] }])
      expect(
        await db
          .selectFrom('t')
          .selectAll()
          .where('tags', 'in', [['z'], []])
          .execute(),
      ).toEqual([{ tags: [] }])
    },
    { dialect: { columns: columnTypes<{ t: { tags: string[] } }>({ t: { tags: json() } }) } },
  ))

interface Nested {
  person: { id: number; full_name: string; note: string }
}

it.each([
  ['in place', new ParseJSONResultsPlugin()],
  ['in new objects', new ParseJSONResultsPlugin({ objectStrategy: 'create' })],
])('should take ParseJSONResultsPlugin that parses %s in a SyncExecutor', (_, plugin) =>
  inDurableObject<Nested>(
    async ({ db, storage, sql }) => {
      sql.exec('create table person (id integer, full_name text, note text)')
      sql.exec("insert into person values (1, 'Ada', '[1, {\"a\": \"[2]\"}]'), (2, 'Bob', '{')")
      const query = db
        .selectFrom('person')
        .select((eb) => [
          'id',
          'note',
          jsonArrayFrom(
            eb
              .selectFrom('person as p')
              .select(['p.id', 'p.full_name'])
              .whereRef('p.id', '=', 'person.id'),
          ).as('same'),
        ])
        .orderBy('id')
      const expected = await query.execute()
      expect(expected[0]).toMatchObject({ id: 1, same: [{ id: 1, full_name: 'Ada' }] })
      const sync = new SyncExecutor(db, storage)
      expect(sync.execute(query)).toEqual(expected)
      expect(sync.prepare(() => query).execute()).toEqual(expected)
    },
    { kysely: { plugins: [plugin] } },
  ),
)

it('should throw what ParseJSONResultsPlugin rejects with', () => {
  const failure = new Error('no')
  const plugin = new ParseJSONResultsPlugin({
    reviver: () => {
      throw failure
    },
    shouldParse: () => true,
  })
  return inDurableObject(
    async ({ db, storage }) => {
      const query = sql`select '[1]' as json`
      const sync = new SyncExecutor(db, storage)
      const outcome = (run: () => unknown): unknown => {
        try {
          return run()
        } catch (error) {
          return error
        }
      }
      // Kysely 0.28 has no reviver.
      expect(outcome(() => sync.execute(query))).toEqual(
        await query.execute(db).then(
          ({ rows }) => rows,
          (error: unknown) => error,
        ),
      )
    },
    { kysely: { plugins: [plugin] } },
  )
})

it('should leave what JSON helpers give as text where there are no columns', () =>
  inDurableObject<Nested>(async ({ db, sql }) => {
    sql.exec('create table person (id integer); insert into person values (1)')
    expect(
      await db
        .selectNoFrom((eb) => jsonArrayFrom(eb.selectFrom('person').select('id')).as('json'))
        .execute(),
    ).toEqual([{ json: '[{"id":1}]' }])
  }))
