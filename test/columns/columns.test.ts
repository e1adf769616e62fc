import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/sqlite'
import { expect, it } from 'vitest'
import { withPeople } from './people.js'
import { SyncExecutor } from '../../src/index.js'

const ADA = {
  id: 1,
  name: 'Ada',
  active: true,
  born: new Date(-4_765_132_800_000),
  seen: new Date('2026-11-21T10:00:00.123Z'),
  prefs: { theme: 'dark', tags: ['x'] },
  balance: 2n ** 62n + 1n,
  homepage: new URL('https://example.com/ada'),
}
const BOB = {
  id: 2,
  name: 'Bob',
  active: false,
  born: null,
  seen: null,
  prefs: null,
  balance: null,
  homepage: null,
}
const REX = { id: 7, owner_id: 1, name: 'Rex', active: 5, chipped: true, seen: new Date(5000) }

it('should store and read values by the column', () =>
  withPeople(async ({ db, sql }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    expect(
      sql
        .exec('select *, cast(balance as text) as balance, typeof(balance) as type from person')
        .toArray(),
    ).toEqual([
      {
        id: 1,
        name: 'Ada',
        active: 1,
        born: -4_765_132_800_000,
        seen: '2026-11-21T10:00:00.123Z',
        prefs: '{"theme":"dark","tags":["x"]}',
        balance: '4611686018427387905',
        homepage: 'https://example.com/ada',
        type: 'integer',
      },
      { ...BOB, active: 0, type: 'null' },
    ])
    expect(await db.selectFrom('person').selectAll().execute()).toEqual([ADA, BOB])
    expect(
      await db.selectFrom('person').select(['balance as b', 'active']).orderBy('balance').execute(),
    ).toEqual([
      { b: null, active: false },
      { b: ADA.balance, active: true },
    ])
  }))

it('should decode * of a join by the table that each column comes from', () =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values(ADA).execute()
    await db.insertInto('pet').values(REX).execute()
    expect(
      await db
        .selectFrom('person')
        .innerJoin('pet', 'pet.owner_id', 'person.id')
        .selectAll()
        .execute(),
    ).toEqual([{ ...ADA, ...REX }])
    expect(
      await db
        .selectFrom('pet')
        .innerJoin('person', 'pet.owner_id', 'person.id')
        .selectAll('pet')
        .select('pet.name as n')
        .selectAll('person')
        .select('pet.chipped as c')
        .execute(),
    ).toEqual([{ ...REX, ...ADA, n: 'Rex', c: true }])
  }))

it('should see through sub-selects, common table expressions, unions and functions', () =>
  withPeople(async ({ db }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    await db.insertInto('pet').values(REX).execute()
    const rows = await db
      .with('p(a, b)', (db) => db.selectFrom('person').select(['active as a', 'balance as b']))
      .with('u', (db) =>
        db
          .selectFrom('person')
          .select('seen as at')
          .union(db.selectFrom('person').select('seen as at')),
      )
      .selectFrom(['p', 'u'])
      .selectAll()
      .select((eb) => [
        eb.fn.max('p.b').over().as('max'),
        eb.fn.coalesce('p.a', eb.val(false)).as('c'),
        eb.selectFrom('pet').select('pet.chipped').limit(1).as('chipped'),
        eb.case().when('p.a', '=', true).then(eb.ref('u.at')).else(new Date(0)).end().as('case'),
      ])
      .where('p.a', 'in', [true])
      .where('u.at', 'is not', null)
      .execute()
    expect(rows).toEqual([
      {
        a: true,
        b: ADA.balance,
        at: ADA.seen,
        max: ADA.balance,
        c: true,
        chipped: true,
        case: ADA.seen,
      },
    ])
  }))

it('should read the JSON helpers', () =>
  withPeople(async ({ db, storage }) => {
    await db.insertInto('person').values([ADA, BOB]).execute()
    await db.insertInto('pet').values(REX).execute()
    const query = db.selectFrom('person').select((eb) => [
      'person.id',
      jsonArrayFrom(
        eb
          .selectFrom('pet')
          .select((eb) => [
            'pet.name',
            'pet.active',
            'pet.chipped',
            'pet.seen',
            jsonObjectFrom(
              eb
                .selectFrom('person as o')
                .select(['o.balance', 'o.prefs'])
                .whereRef('o.id', '=', 'pet.owner_id'),
            ).as('owner'),
          ])
          .whereRef('pet.owner_id', '=', 'person.id')
          .where('pet.chipped', '=', true),
      ).as('pets'),
      jsonBuildObject({ active: eb.ref('person.active'), balance: eb.ref('balance') }).as('o'),
    ])
    const expected = [
      {
        id: 1,
        pets: [
          {
            name: 'Rex',
            active: 5,
            chipped: true,
            seen: REX.seen,
            owner: { balance: ADA.balance, prefs: ADA.prefs },
          },
        ],
        o: { active: true, balance: ADA.balance },
      },
      { id: 2, pets: [], o: { active: false, balance: null } },
    ]
    expect(await query.execute()).toEqual(expected)
    expect(new SyncExecutor(db, storage).execute(query)).toEqual(expected)
  }))
