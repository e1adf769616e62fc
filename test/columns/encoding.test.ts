import { type ExpressionBuilder, sql } from 'kysely'
import { expect, it } from 'vitest'
import { date, withCodec } from '../../src/columns/index.js'
import { type PeopleDatabase, withPeople } from './people.js'

const BORN = new Date(1_000)
const LATER = new Date(2_000)
const BIG = 2n ** 53n + 1n

const ADA = {
  id: 1,
  name: 'Ada',
  active: true,
  born: BORN,
  seen: LATER,
  prefs: { theme: 'dark' },
  balance: BIG,
  homepage: new URL('https://ada.example/'),
}
const BOB = {
  id: 2,
  name: 'Bob',
  active: false,
  born: LATER,
  seen: null,
  prefs: { theme: 'light' },
  balance: BIG + 1n,
  homepage: null,
}

type Builder = ExpressionBuilder<PeopleDatabase, 'person'>

/** Each is true of Ada alone. */
it.each([
  ['=', (eb: Builder) => eb('active', '=', true)],
  ['= of JSON', (eb: Builder) => eb('prefs', '=', { theme: 'dark' })],
  ['= of a codec of its own', (eb: Builder) => eb('homepage', '=', ADA.homepage)],
  ['= of integers that are rounded alike', (eb: Builder) => eb('balance', '=', BIG)],
  ['!=', (eb: Builder) => eb('born', '!=', LATER)],
  ['<', (eb: Builder) => eb('person.born', '<', LATER)],
  ['is not', (eb: Builder) => eb('seen', 'is not', null)],
  ['is', (eb: Builder) => eb('active', 'is', true)],
  ['in', (eb: Builder) => eb('born', 'in', [BORN, new Date(5)])],
  ['not in', (eb: Builder) => eb('balance', 'not in', [BIG + 1n])],
  ['in of expressions', (eb: Builder) => eb('born', 'in', [eb.val(BORN), eb.val(new Date(5))])],
  [
    'in of more than 100',
    (eb: Builder) =>
      eb(
        'born',
        'in',
        Array.from({ length: 200 }, () => BORN),
      ),
  ],
  ['between', (eb: Builder) => eb.between('born', new Date(0), BORN)],
  ['a value on the left', (eb: Builder) => eb(eb.parens(eb.val(LATER)), '>', eb.ref('born'))],
  ['a tuple', (eb: Builder) => eb(eb.refTuple('born', 'active'), '=', eb.tuple(BORN, true))],
  [
    'in of tuples',
    (eb: Builder) =>
      eb(eb.refTuple('balance', 'active'), 'in', [eb.tuple(BIG, true), eb.tuple(5n, false)]),
  ],
  [
    'a sub-select',
    (eb: Builder) =>
      eb.and([
        eb(eb.selectFrom('person as p').select('p.born').where('p.id', '=', 1), '=', BORN),
        eb('id', '=', 1),
      ]),
  ],
  [
    'a correlated sub-select',
    (eb: Builder) =>
      eb.exists(
        eb
          .selectFrom('pet')
          .select('pet.id')
          .whereRef('pet.owner_id', '=', 'person.id')
          .where('person.born', '=', BORN)
          .where('chipped', '=', true),
      ),
  ],
  ['a function', (eb: Builder) => eb(eb.fn.coalesce('born', eb.val(LATER)), '=', BORN)],
  [
    'case by a value',
    (eb: Builder) => eb(eb.case('born').when(BORN).then(1).else(0).end(), '=', 1),
  ],
  [
    'case of values',
    (eb: Builder) =>
      eb(eb.case().when('id', '=', 1).then(eb.ref('born')).else(LATER).end(), '=', BORN),
  ],
  [
    'withCodec',
    (eb: Builder) =>
      eb(withCodec(sql<number>`born + 1`, date('milliseconds')), '=', new Date(1001)),
  ],
  ['not', (eb: Builder) => eb.not(eb('active', '=', false))],
  ['or', (eb: Builder) => eb.or([eb('born', '=', BORN), eb('active', 'in', [true])])],
])('should encode the value of %s', (_, condition) =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    await db
      .insertInto('pet')
      .values({ owner_id: 1, name: 'Rex', active: 5, chipped: true, seen: null })
      .execute()
    expect(await db.selectFrom('person').select('name').where(condition).execute()).toEqual([
      { name: 'Ada' },
    ])
    expect(
      await db
        .updateTable('person')
        .set({ name: 'Found' })
        .where(condition)
        .returning('id')
        .execute(),
    ).toEqual([{ id: 1 }])
    expect(await db.deleteFrom('person').where(condition).returningAll().execute()).toEqual([
      { ...ADA, name: 'Found' },
    ])
  }),
)

it('should encode in on and in having', () =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    const rows = await db
      .selectFrom('person as p')
      .innerJoin('person as q', (join) => join.on('q.born', '=', LATER).on('p.active', '=', true))
      .select((eb) => ['p.name', 'q.name as other', eb.fn.max('q.born').as('born')])
      .groupBy('p.id')
      .having((eb) => eb.fn.max('q.born'), '>=', LATER)
      .execute()
    expect(rows).toEqual([{ name: 'Ada', other: 'Bob', born: LATER }])
  }))

it('should encode what an update and an upsert set', () =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    const [updated] = await db
      .updateTable('person as p')
      .set((eb) => ({
        born: LATER,
        prefs: { theme: 'red' },
        balance: -BIG,
        active: eb.case().when('p.id', '=', 1).then(false).else(true).end(),
      }))
      .where('p.id', '=', 1)
      .returningAll()
      .execute()
    expect(updated).toEqual({
      ...ADA,
      born: LATER,
      prefs: { theme: 'red' },
      balance: -BIG,
      active: false,
    })
    const upserted = await db
      .insertInto('person')
      .values({ ...BOB, seen: LATER })
      .onConflict((oc) =>
        oc
          .column('id')
          .doUpdateSet((eb) => ({ seen: eb.ref('excluded.seen'), born: BORN }))
          .where('excluded.seen', '=', LATER),
      )
      .returning(['seen', 'born', 'balance as b'])
      .executeTakeFirstOrThrow()
    expect(upserted).toEqual({ seen: LATER, born: BORN, b: BIG + 1n })
  }))

it('should encode rows of more values than a query can bind', () =>
  withPeople(async ({ db }) => {
    const people = Array.from({ length: 300 }, (_, i) => ({
      ...(i % 2 === 0 ? ADA : BOB),
      id: i + 1,
      balance: BIG + BigInt(i),
    }))
    await db.insertInto('person').values(people).execute()
    expect(await db.selectFrom('person').selectAll().orderBy('id').execute()).toEqual(people)
  }))

it('should encode the values that a select inserts', () =>
  withPeople(async ({ db }) => {
    await db
      .insertInto('pet')
      .columns(['owner_id', 'name', 'active', 'chipped', 'seen'])
      .expression(
        db.selectNoFrom((eb) => [
          eb.val(1).as('a'),
          eb.val('Rex').as('b'),
          eb.val(5).as('c'),
          eb.val(true).as('d'),
          eb.val(LATER).as('e'),
        ]),
      )
      .execute()
    expect(await db.selectFrom('pet').selectAll().execute()).toEqual([
      { id: 1, owner_id: 1, name: 'Rex', active: 5, chipped: true, seen: LATER },
    ])
  }))

it('should leave raw SQL, like and other operators as they are', () =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    const names = await db
      .selectFrom('person')
      .select('name')
      .where(sql<boolean>`prefs like ${'%dark%'}`)
      .where(sql`born`, '=', 1000)
      .where((eb) => eb(eb.ref('prefs', '->>').key('theme'), '=', 'dark'))
      .where((eb) => eb(eb('balance', '+', 1n), '=', BIG + 1n))
      .execute()
    expect(names).toEqual([{ name: 'Ada' }])
  }))

it('should tell the column of a value that it cannot store, before anything is written', () =>
  withPeople(async ({ db, sql }) => {
    const rejected = async (query: { execute(): Promise<unknown> }): Promise<unknown> => {
      const error: unknown = await query.execute().catch((error: unknown) => error)
      return error instanceof Error
        ? [(error as Error & { code: string }).code, error.message]
        : error
    }
    expect(
      await rejected(db.insertInto('person').values([ADA, { ...BOB, born: new Date(Number.NaN) }])),
    ).toEqual([
      'ERR_UNSUPPORTED_PARAMETER',
      'A value for person.born is an invalid Date. Pass a valid one, or null.',
    ])
    expect(
      await rejected(db.updateTable('person').set({ active: 1 as unknown as boolean })),
    ).toEqual([
      'ERR_UNSUPPORTED_PARAMETER',
      'A value for person.active is an integer. Pass true or false.',
    ])
    expect(
      await rejected(db.selectFrom('pet as p').selectAll().where('p.seen', '=', new Date(1))),
    ).toEqual([
      'ERR_UNSUPPORTED_PARAMETER',
      'A value for pet.seen is a Date with milliseconds, which the format of the column has no ' +
        'place for. Pass one of whole seconds, such as new Date(Math.floor(Date.now() / 1000) * 1000).',
    ])
    expect(sql.exec('select * from person').toArray()).toEqual([])
  }))
