import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { boolean, columnTypes, date, int64, json, withCodec } from '../../src/columns/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  a: { id: number; flag: boolean; at: Date; big: bigint; doc: { n: number } }
  /** Its columns have the names of those of `a`, and are numbers. */
  b: { id: number; flag: number; at: number; other: string }
  c: { id: number; flag: boolean; at: Date }
  tree: { id: number; parent: number | null; since: Date }
  v: { id: number; flag: boolean; twice: number }
}

const columns = columnTypes<Database>({
  a: { flag: boolean(), at: date('milliseconds'), big: int64(), doc: json() },
  c: { flag: boolean(), at: date('seconds') },
  tree: { since: date('milliseconds') },
  v: { flag: boolean() },
})

const BIG = 2n ** 60n + 1n
const AT = new Date(7000)
const A = { id: 1, flag: true, at: AT, big: BIG, doc: { n: 1 } }
const B = { id: 1, flag: 5, at: 7, other: 'x' }
const C = { id: 1, flag: false, at: AT }

function withTables(body: (scope: Scope<Database>) => Promise<void>): Promise<void> {
  return inDurableObject<Database>(
    (scope) => {
      scope.sql.exec(`
        create table a (id integer, flag integer, at integer, big integer, doc text);
        create table b (id integer, flag integer, at integer, other text);
        create table c (id integer, flag integer, at integer);
        create table tree (id integer, parent integer, since integer);
        create view v as select id, flag, id * 2 as twice from a;
        insert into a values (1, 1, 7000, ${BIG}, '{"n":1}');
        insert into b values (1, 5, 7, 'x');
        insert into c values (1, 0, 7);
        insert into tree values (1, null, 1000), (2, 1, 2000), (3, 2, 3000);
      `)
      return body(scope)
    },
    { dialect: { columns } },
  )
}

it('should tell columns of one name apart in * of a join, in either order', () =>
  withTables(async ({ db }) => {
    expect(await db.selectFrom(['a', 'b']).selectAll().execute()).toEqual([{ ...A, ...B }])
    expect(await db.selectFrom(['b', 'a']).selectAll().execute()).toEqual([{ ...B, ...A }])
    expect(await db.selectFrom(['b', 'a', 'b as d']).selectAll().execute()).toEqual([
      { ...B, ...A, ...B },
    ])
    expect(
      await db.selectFrom(['a', 'c']).selectAll('c').select('big as x').selectAll('a').execute(),
    ).toEqual([{ ...C, x: BIG, ...A }])
    const [row] = await db.selectFrom(['a', 'b']).selectAll().execute()
    expect(Object.keys(row!)).toEqual(['id', 'flag', 'at', 'big', 'doc', 'other'])
  }))

it('should tell them apart in a sub-select of which * is of a join', () =>
  withTables(async ({ db }) => {
    const joined = (first: 'a' | 'b', second: 'a' | 'b') =>
      db.selectFrom(
        () =>
          db.selectFrom([first, second]).selectAll().as('s') as unknown as ReturnType<
            ReturnType<typeof db.selectFrom<'a'>>['as']
          >,
      )
    // SQLite takes the first column of the name.
    expect(await sqlRows(joined('a', 'b'))).toEqual([{ flag: true, at: AT, other: 'x', big: BIG }])
    expect(await sqlRows(joined('b', 'a'))).toEqual([{ flag: 5, at: 7, other: 'x', big: BIG }])

    async function sqlRows(query: unknown): Promise<unknown> {
      return (query as ReturnType<typeof db.selectFrom<'a'>>)
        .select(['s.flag', 's.at', 's.other', 's.big'] as never)
        .execute()
    }
  }))

it('should know what a column is called that comes behind * of a table', () =>
  withTables(async ({ db }) => {
    expect(
      await db
        .with('s', (db) => db.selectFrom(['b', 'a']).selectAll('b').select('a.at as since'))
        .selectFrom('s')
        .select(['since', 'at'])
        .where('since', '=', AT)
        .execute(),
    ).toEqual([{ since: AT, at: 7 }])
  }))

it('should follow a recursive expression', () =>
  withTables(async ({ db }) => {
    const rows = await db
      .withRecursive('path(node, up, day)', (db) =>
        db
          .selectFrom('tree')
          .select(['id as node', 'parent as up', 'since as day'])
          .where('since', '=', new Date(3000))
          .unionAll(
            db
              .selectFrom('tree')
              .innerJoin('path', 'path.up', 'tree.id')
              .select(['tree.id as node', 'tree.parent as up', 'path.day as day']),
          ),
      )
      .selectFrom('path')
      .selectAll()
      .where('day', '=', new Date(3000))
      .execute()
    expect(rows).toEqual([
      { node: 3, up: 2, day: new Date(3000) },
      { node: 2, up: 1, day: new Date(3000) },
      { node: 1, up: null, day: new Date(3000) },
    ])
    expect(
      await db
        .withRecursive('n(day)', (db) =>
          db
            .selectFrom('tree')
            .select('since as day')
            .where('id', '=', 1)
            .unionAll(
              db
                .selectFrom('n')
                .select(sql<Date>`day + 1`.as('day'))
                .where(sql<boolean>`day < 1002`),
            ),
        )
        .selectFrom('n')
        .select('day')
        .execute(),
      // Raw SQL in one of the terms.
    ).toEqual([{ day: 1000 }, { day: 1001 }, { day: 1002 }])
  }))

it('should decode a union as far as all selects agree', () =>
  withTables(async ({ db }) => {
    expect(
      await db
        .selectFrom('a')
        .select(['flag', 'at', 'big'])
        .unionAll(
          db.selectFrom('c').select(['flag', sql<Date>`at`.as('at'), sql<bigint>`5`.as('big')]),
        )
        .execute(),
    ).toEqual([
      { flag: true, at: 7000, big: Number(BIG) },
      { flag: false, at: 7, big: 5 },
    ])
    expect(
      await db
        .selectFrom('a')
        .select(['big', 'at'])
        .union(db.selectFrom('a as other').select(['big', sql.lit(null).$castTo<Date>().as('at')]))
        .orderBy('big')
        .execute(),
    ).toEqual([
      { big: BIG, at: null },
      { big: BIG, at: AT },
    ])
    expect(
      await db.selectFrom('a').selectAll().intersect(db.selectFrom('a as x').selectAll()).execute(),
    ).toEqual([A])
    await expect(
      db
        .selectFrom('a')
        .selectAll()
        .union(db.selectFrom('a').select(['id', 'flag', 'at', 'big', 'doc']))
        .execute(),
    ).rejects.toMatchObject({
      code: 'ERR_COLUMN_VALUE',
      message:
        'The selects of a union yield an int64() column in different ways, by * and by its name, so ' +
        'that it cannot be read exactly. Name the columns in all of them.',
    })
  }))

it('should decode a view by what is said of it', () =>
  withTables(async ({ db }) => {
    expect(await db.selectFrom('v').selectAll().where('flag', '=', true).execute()).toEqual([
      { id: 1, flag: true, twice: 2 },
    ])
  }))

it('should know tables in spite of the case of their names, and common tables that hide them', () =>
  withTables(async ({ db }) => {
    expect(
      await db
        .selectFrom('A' as 'a')
        .select(['FLAG' as 'flag', 'at'])
        .execute(),
    ).toEqual([{ flag: true, at: AT }])
    expect(
      await db
        .with('a', (db) => db.selectFrom('b').selectAll())
        .selectFrom('a')
        .selectAll()
        .execute(),
    ).toEqual([B])
    expect(
      await db
        .with('a', (db) => db.selectFrom('b').selectAll())
        .withSchema('main')
        .selectFrom('c')
        .selectAll()
        .execute(),
    ).toEqual([C])
  }))

it('should find the column of a name without a table in the sub-select, or around it', () =>
  withTables(async ({ db }) => {
    const rows = await db
      .selectFrom('a')
      .select((eb) => [
        eb.selectFrom('b').select('flag').limit(1).as('of_b'),
        // `b` has no such column, so that it is that of `a`.
        eb
          .selectFrom('b')
          .select('doc' as never)
          .limit(1)
          .as('of_a'),
      ])
      .execute()
    expect(rows).toEqual([{ of_b: 5, of_a: { n: 1 } }])
  }))

it('should read what returning gives', () =>
  withTables(async ({ db }) => {
    expect(
      await db
        .updateTable('a')
        .from('b')
        .set({ flag: false })
        .returning(['a.big as x', 'a.flag'])
        .execute(),
    ).toEqual([{ x: BIG, flag: false }])
    expect(
      await db
        .updateTable('a')
        .set({ at: new Date(1) })
        .returningAll()
        .execute(),
    ).toEqual([{ ...A, flag: false, at: new Date(1) }])
    expect(await db.deleteFrom('a').returning(['id', 'big', 'doc']).execute()).toEqual([
      { id: 1, big: BIG, doc: { n: 1 } },
    ])
    const inserted = await db
      .insertInto('a')
      .values(A)
      .returningAll()
      .returning('big as b')
      .execute()
    expect(inserted).toEqual([{ ...A, b: BIG }])
    const replaced = await db.replaceInto('a').values(A).returning('doc').execute()
    expect(replaced).toEqual([{ doc: A.doc }])
  }))

it('should order, group and filter by what is stored, not by what was added to read it', () =>
  withTables(async ({ db }) => {
    await db
      .insertInto('a')
      .values([9n, 100n, -5n].map((big, i) => ({ ...A, id: i + 2, big })))
      .execute()
    expect(
      await db.selectFrom('a').select('big').orderBy('big').distinct().limit(3).execute(),
    ).toEqual([{ big: -5n }, { big: 9n }, { big: 100n }])
    expect(
      await db
        .selectFrom('a')
        .select((eb) => ['big as b', eb.fn.countAll<number>().as('n')])
        .groupBy('b')
        .having('big', '>', 9n)
        .orderBy('b', 'desc')
        .execute(),
    ).toEqual([
      { b: BIG, n: 1 },
      { b: 100n, n: 1 },
    ])
    expect(
      await db
        .selectFrom('a')
        .select((eb) => [
          eb.fn.max('big').as('max'),
          eb.fn.min('big').filterWhere('big', '>', 9n).as('min'),
          eb.fn
            .agg<bigint>('lag', ['big', sql.lit(1)])
            .over((over) => over.orderBy('big'))
            .as('lag'),
        ])
        .groupBy('id')
        .orderBy('id')
        .limit(1)
        .execute(),
    ).toEqual([{ max: BIG, min: BIG, lag: 100n }])
  }))

it('should not decode the plan of a query', () =>
  withTables(async ({ db }) => {
    const [step] = await db.selectFrom('a').select(['id', 'flag']).explain()
    expect(step).toMatchObject({ addr: 0, opcode: 'Init' })
  }))

it('should read the columns that a table has now', () =>
  withTables(async ({ db, sql }) => {
    const query = db.selectFrom('a').selectAll().compile()
    expect((await db.executeQuery(query)).rows).toEqual([A])
    sql.exec('alter table a add column extra integer')
    sql.exec('alter table a drop column doc')
    const { doc: _, ...rest } = A
    expect((await db.executeQuery(query)).rows).toEqual([{ ...rest, extra: null }])
  }))

it('should leave raw SQL as it is, unless it has a codec', () =>
  withTables(async ({ db }) => {
    expect(
      await db
        .selectFrom('a')
        .select([
          sql`flag`.as('raw'),
          withCodec(sql<number>`flag`, boolean()).as('flag'),
          withCodec(sql<number>`big + 1`, int64()).as('big'),
          withCodec(sql`null`, boolean()).as('none'),
        ])
        .execute(),
    ).toEqual([{ raw: 1, flag: true, big: BIG + 1n, none: null }])
    expect((await sql`select * from a`.execute(db)).rows).toEqual([
      { id: 1, flag: 1, at: 7000, big: Number(BIG), doc: '{"n":1}' },
    ])
    await expect(
      db
        .selectFrom('a')
        .select(withCodec(sql<number>`at`, boolean()).as('x'))
        .execute(),
    ).rejects.toMatchObject({
      code: 'ERR_COLUMN_VALUE',
      message:
        'An expression holds an integer; boolean() reads 0 and 1. Select it as raw SQL to see it as ' +
        'it is, and correct it by an update.',
    })
  }))

it('should say what withCodec() needs', () =>
  inDurableObject(async ({ db }) => {
    await expect(
      db.selectNoFrom(withCodec(sql`1`, boolean()).as('x')).execute(),
    ).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_PARAMETER',
      message:
        'Parameter 1 is withCodec() of a dialect without columns. Give the dialect the option columns: ' +
        'new DurableObjectSqliteDialect(ctx.storage, { columns }).',
    })
  }))
