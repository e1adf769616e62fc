import { type Compilable, type Generated, type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { compileToJsonParameters } from '../../src/compiler/json-query-compiler.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  item: {
    id: Generated<number>
    i: number | bigint | null
    r: number | bigint | string | null
    t: number | bigint | string | null
    c: string | null
    b: unknown
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

/** Twenty rows, of which some texts look like numbers and some differ in case alone. */
function withItems(body: (scope: Scope<Database>) => Promise<void>): Promise<void> {
  return inDurableObject<Database>(async (scope) => {
    await scope.exec(
      'create table item (id integer primary key, i integer, r real, t text, c text collate nocase, b)',
    )
    await scope.exec(`
      insert into item (id, i, r, t, c, b)
      with recursive n(id) as (select 1 union all select id + 1 from n where id < 20)
      select id, id, id / 2.0, id, iif(id % 2, 'Ada', 'ada'), null from n
    `)
    await scope.exec(
      "update item set t = case id when 1 then '05' when 2 then '5.0' else t end, r = iif(id = 1, 9007199254740992.0, r)",
    )
    await body(scope)
  })
}

const WAYS = ['nothing', 'values', 'values and sources'] as const

/** Expects what the query does to be the same with its values in JSON texts, however they are shared. */
async function expectSame(db: Kysely<Database>, query: Compilable): Promise<unknown[]> {
  const { query: node, queryId } = query.compile()
  const { rows } = await db.executeQuery(query.compile())
  for (const shared of WAYS) {
    const compiled = compileToJsonParameters(node, queryId, 'json_each', shared)
    expect((await db.executeQuery(compiled)).rows).toEqual(rows)
  }
  return rows
}

describe('a bigint', () => {
  it('should have no affinity in a comparison, as an integer that is bound has none', () =>
    withItems(async ({ db }) => {
      const ids = async (query: { execute(): Promise<{ id: number }[]> }): Promise<number[]> =>
        (await query.execute()).map(({ id }) => id)
      const items = db.selectFrom('item').select('id')
      expect(await ids(items.where('t', '=', 5n))).toEqual([5])
      expect(await ids(items.where('t', 'in', [5n]))).toEqual([5])
      expect(await ids(items.where('t', '>=', 5n).where('t', '<=', 5n))).toEqual([5])
      expect(await ids(items.where((eb) => eb.between('t', 5n, 5n)))).toEqual([5])
      expect(
        await ids(
          items.where((eb) =>
            eb(eb.refTuple('t', 'i'), 'in', [eb.tuple(5n, 5n), eb.tuple(1n, 1n)]),
          ),
        ),
      ).toEqual([5])
      expect(
        await ids(items.where((eb) => eb(eb.case('t').when(5n).then(1).else(0).end(), '=', 1))),
      ).toEqual([5])
      expect(
        await ids(
          items.where((eb) =>
            eb(
              eb
                .case(eb.val(5n))
                .when(eb.ref('t') as never)
                .then(1)
                .end(),
              '=',
              1,
            ),
          ),
        ),
      ).toEqual([5])
      expect(await ids(items.where('i', '=', 5n))).toEqual([5])
      expect(await ids(items.where('r', '=', 5n))).toEqual([10])
      expect(await ids(items.where('r', '=', 2n ** 53n + 1n))).toEqual([])
      const { rows } = await sql`
        select typeof(${5n}) as type, ${7n} / ${2n} as quotient, -${5n} as negative, ${1n}+${2n} as sum
      `.execute(db)
      expect(rows).toEqual([{ type: 'integer', quotient: 3, negative: -5, sum: 3 }])
      expect(await db.deleteFrom('item').where('t', '=', 5n).executeTakeFirst()).toEqual({
        numDeletedRows: 1n,
      })
    }))

  it('should be stored as an integer, and sort as one', () =>
    withItems(async ({ db }) => {
      await db.insertInto('item').values({ id: 30, b: 5n, t: 5n }).execute()
      await db.updateTable('item').set({ b: 6n }).where('id', '=', 1).execute()
      expect(
        await db
          .selectFrom('item')
          .select(['id', 'b', 't', sql`typeof(b)`.as('type')])
          .where('b', 'is not', null)
          .orderBy((eb) => eb.case('id').when(30).then(2n).else(1n).end())
          .execute(),
      ).toEqual([
        { id: 1, b: 6, t: '05', type: 'integer' },
        { id: 30, b: 5, t: '5', type: 'integer' },
      ])
    }))

  it.each([
    ['id', 'SEARCH item USING INTEGER PRIMARY KEY (rowid=?)'],
    ['i', 'SEARCH item USING INDEX item_i (i=?)'],
    ['t', 'SEARCH item USING INDEX item_t (t=?)'],
  ] as const)('should let the index of %s be used', (column, detail) =>
    withItems(async ({ db, exec }) => {
      await exec('create index item_i on item (i)')
      await exec('create index item_t on item (t)')
      const plan = await db
        .selectFrom('item')
        .selectAll()
        .where(column, '=', 5n)
        .explain<{ detail: string }>(undefined, sql`query plan`)
      expect(plan.map(({ detail }) => detail)).toEqual([detail])
    }),
  )
})

describe('rows with more than values in them', () => {
  it('should look up other rows by a sub-select with limit and offset', () =>
    withItems(async ({ db }) => {
      const inserted = await db
        .insertInto('item')
        .values((eb) =>
          range(110).map((i) => ({
            i,
            r: eb
              .selectFrom('item')
              .select('item.id')
              .where('item.i', '=', (i % 20) + 1)
              .orderBy('item.id')
              .limit(1)
              .offset(0),
          })),
        )
        .returning(['i', 'r'])
        .execute()
      expect(inserted).toEqual(range(110).map((i) => ({ i, r: (i % 20) + 1 })))
    }))

  it('should insert one row for each, whatever its cells are', () =>
    withItems(async ({ db }) => {
      const inserted = await db
        .insertInto('item')
        .values(
          range(110).map((i) => ({
            i,
            r: sql<number>`count(*)`,
            t: sql<number>`row_number() over ()`,
            b: sql`(select hex(randomblob(16)))`,
          })),
        )
        .returning(['i', 'r', 't', 'b'])
        .execute()
      expect(inserted.map(({ i, r, t }) => ({ i, r, t }))).toEqual(
        range(110).map((i) => ({ i, r: 1, t: '1' })),
      )
      expect(new Set(inserted.map(({ b }) => b))).toHaveProperty('size', 110)
    }))
})

describe('a case', () => {
  it('should take the first of equal terms', () =>
    withItems(async ({ db }) => {
      const query = (count: number) =>
        db
          .selectFrom('item')
          .select((eb) =>
            range(count)
              .reduce(
                (builder, i) => builder.when(3).then(`term ${i}`),
                eb.case('id').when(4).then('four'),
              )
              .end()
              .as('x'),
          )
          .where('id', '=', 3)
      expect(await query(200).execute()).toEqual([{ x: 'term 1' }])
      expect(await expectSame(db, query(30))).toEqual([{ x: 'term 1' }])
    }))

  it.each([1, 30])('should keep affinities and collations, with %i terms', (count) =>
    withItems(async ({ db }) => {
      const items = db.selectFrom('item').select('id').orderBy('id')
      const terms = range(count)
      const found = await expectSame(
        db,
        items.select((eb) => [
          terms
            .reduce(
              (builder, i) => builder.when(eb('id', '=', i)).then(eb('t', '=', eb.val(i)) as never),
              eb
                .case()
                .when(eb('c', '=', 'ADA'))
                .then(eb('id', '=', '1' as never)),
            )
            .end()
            .as('comparisons'),
          terms
            .reduce(
              (builder, i) => builder.when(eb.val(BigInt(i)) as never).then(i),
              eb.case('t').when(5n).then(0),
            )
            .end()
            .as('bigints'),
          terms
            .reduce(
              (builder) => builder.when(eb.ref('c') as never).then('found'),
              eb
                .case(eb.val('ADA'))
                .when(eb.ref('c') as never)
                .then('first'),
            )
            .end()
            .as('value on the left'),
        ]),
      )
      // The text of the first row is '05', of the fifth '5'; both have a name of `collate nocase`.
      expect([found[0], found[4]]).toEqual([
        { id: 1, comparisons: 1, bigints: null, 'value on the left': 'first' },
        { id: 5, comparisons: 0, bigints: 0, 'value on the left': 'first' },
      ])
    }),
  )

  it('should take terms without values', () =>
    withItems(async ({ db }) => {
      const query = db.selectFrom('item').select((eb) =>
        range(25)
          .reduce(
            (builder) => builder.when(eb('t', '=', eb.ref('c'))).then(eb.ref('i')),
            eb
              .case()
              .when(eb('id', '=', eb.ref('i') as never))
              .then(eb.ref('i')),
          )
          .end()
          .as('x'),
      )
      expect(await expectSame(db, query.where('id', 'in', range(150)))).toEqual(
        range(20).map((x) => ({ x })),
      )
    }))
})

describe('a union', () => {
  it('should keep collations and affinities, as long as it may be', () =>
    withItems(async ({ db }) => {
      const names = (id: number) => db.selectFrom('item').select('c as x').where('id', '=', id)
      const union = range(4).reduce(
        (query, id) => query.union(names(id)) as never,
        db.selectNoFrom(sql<string | null>`'ada'`.as('x')),
      )
      expect(await expectSame(db, union)).toHaveLength(1)
      const longUnion = range(5).reduce((query, id) => query.union(names(id)) as never, union)
      await expect(longUnion.execute()).rejects.toMatchObject({
        message: expect.stringMatching(/^too many terms in compound SELECT/),
      })
    }))

  it('should be inserted with on conflict, as long as it may be', () =>
    withItems(async ({ db }) => {
      const one = (id: number) => db.selectFrom('item').select(['id', 't']).where('id', '=', id)
      const insert = db
        .insertInto('item')
        .columns(['id', 't'])
        .expression(range(4).reduce((query, id) => query.unionAll(one(id)), one(20)))
        .onConflict((conflict) => conflict.doNothing())
      expect(await insert.executeTakeFirst()).toMatchObject({ numInsertedOrUpdatedRows: 0n })
    }))
})

describe('the frame of a window', () => {
  it('should have its values beyond 100', () =>
    withItems(async ({ db }) => {
      const rows = await db
        .selectFrom('item')
        .select(
          sql<number>`
            sum(id) over (order by id rows between ${1} preceding and ${1n} following)
          `.as('sum'),
        )
        .where((eb) => eb.or(range(120).map((i) => eb('id', '=', i))))
        .execute()
      expect(rows).toEqual(range(20).map((id) => ({ sum: id === 1 ? 3 : id === 20 ? 39 : id * 3 })))
    }))
})

describe('a list', () => {
  it('should find no REAL that an integer would be rounded to', () =>
    withItems(async ({ db }) => {
      for (const value of ['9007199254740993', 2n ** 53n + 1n]) {
        for (const operator of ['in', 'not in'] as const) {
          for (const others of [range(110), [...range(110), null], []]) {
            const list = [...others, ...range(110).map((i) => `${2n ** 53n + 1n + 2n * BigInt(i)}`)]
            for (const values of [[...list, value], list.map(toBigint)]) {
              const pieces = values.map((value) =>
                operator === 'in'
                  ? sql<boolean>`r in (${value})`
                  : sql<boolean>`r not in (${value})`,
              )
              const wanted = db.selectFrom('item').select('id').orderBy('id')
              let expected = await wanted.execute()
              if (operator === 'not in') {
                for (const piece of pieces) {
                  const kept = new Set((await wanted.where(piece).execute()).map(({ id }) => id))
                  expected = expected.filter(({ id }) => kept.has(id))
                }
              } else {
                const found = new Set<number>()
                for (const piece of pieces) {
                  for (const { id } of await wanted.where(piece).execute()) {
                    found.add(id)
                  }
                }
                expected = expected.filter(({ id }) => found.has(id))
              }
              expect(await wanted.where('r', operator, values as never).execute()).toEqual(expected)
            }
          }
        }
      }
    }))

  it('should find 5,000 integers beyond 2^53, and as many texts of them', () =>
    withItems(async ({ db, exec }) => {
      await exec('create index item_i on item (i)')
      const ids = range(5_000).map((i) => 2n ** 60n + BigInt(i))
      await db
        .insertInto('item')
        .values(ids.map((id) => ({ i: id, t: String(id) })))
        .execute()
      const found = db.selectFrom('item').select('id').where('i', 'in', ids)
      expect(await found.execute()).toHaveLength(5_000)
      expect((await found.explain<{ detail: string }>(undefined, sql`query plan`))[0]?.detail).toBe(
        'SEARCH item USING COVERING INDEX item_i (i=?)',
      )
      const texts = db.selectFrom('item').select('id').where('t', 'in', ids.map(String))
      expect(await texts.execute()).toHaveLength(5_000)
    }))

  it('should be found in raw SQL, however it is written', () =>
    withItems(async ({ db }) => {
      const ids = range(5_000)
      const queries = [
        sql`select id from item where id in (${sql.join(ids)})`,
        sql`select id from item where id in (
              ${sql.join(ids)}
            )`,
        sql`select id from item where id IN /* these */ (  ${sql.join(ids, sql`,`)})`,
        sql`select id from item where id in -- these
              (${sql.join(ids)} ) and 'in (' = 'in ('`,
      ]
      for (const query of queries) {
        expect(query.compile(db).parameters).toHaveLength(1)
        expect((await query.execute(db)).rows).toEqual(range(20).map((id) => ({ id })))
      }
    }))

  it('should be left as it is in raw SQL where it is none', () =>
    withItems(async ({ db }) => {
      const ids = range(101)
      const queries = [
        sql`select max(${sql.join(ids)}) as x`,
        sql`select 'in (' || max(${sql.join(ids)}) as x`,
        sql`select max /* in */ (${sql.join(ids)}) as x`,
        sql`select max ( -- in (
          ${sql.join(ids)}) as x`,
      ]
      const expected = [101, 'in (101.0', 101, 101]
      for (const [i, query] of queries.entries()) {
        expect((await query.execute(db)).rows).toEqual([{ x: expected[i] }])
      }
    }))

  it('should hold BLOBs, and BLOBs beside other values', () =>
    withItems(async ({ db }) => {
      await db
        .insertInto('item')
        .values(range(200).map((i) => ({ b: i % 2 === 0 ? new Uint8Array([i]) : `text ${i}` })))
        .execute()
      const blobs = range(150).map((i) => new Uint8Array([i]))
      const items = db.selectFrom('item').select('b').where('b', 'is not', null)
      expect(await items.where('b', 'in', blobs).execute()).toHaveLength(75)
      expect(
        await items.where('b', 'in', [...blobs, 'text 1', 'text 3', null]).execute(),
      ).toHaveLength(77)
    }))
})

function toBigint(value: unknown): unknown {
  return typeof value === 'string' ? BigInt(value) : value
}
