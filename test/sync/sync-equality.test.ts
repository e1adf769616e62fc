import { type Expression, type Generated, type Kysely, type RawBuilder, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { type QueryParameters, SyncExecutor, type SyncQuery } from '../../src/index.js'
import { inDurableObject } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string | null; age: number | bigint | boolean | null }
  pet: { id: Generated<number>; owner: number; name: string }
  setting: { key: string; value: unknown }
  blob: { id: Generated<number>; bytes: Uint8Array | ArrayBuffer | null }
  named: { name: string }
  search: { text: string }
  strict: { id: number; count: number | string }
}

const SCHEMA = `
  create table person (id integer primary key, name text unique, age);
  insert into person values (1, 'Ada', 36), (2, 'Grace', 85), (3, null, null);
  create table pet (id integer primary key, owner integer not null references person, name text not null);
  insert into pet values (1, 1, 'Byron'), (2, 1, 'Babbage'), (3, 2, 'Cobol');
  create table setting (key text primary key, value) without rowid;
  create table blob (id integer primary key, bytes blob);
  insert into blob values (1, x'010203');
  create view named as select name from person;
  create trigger named_insert instead of insert on named begin
    insert into person (name) values (new.name);
  end;
  create trigger person_insert after insert on person when new.name = 'Owner' begin
    insert into pet (owner, name) values (new.id, 'Gift');
  end;
  create trigger person_update before update on person when new.name = 'Ignored' begin
    insert into pet (owner, name) values (new.id, 'Log');
    select raise(ignore);
  end;
  create virtual table search using fts5(text);
  create table strict (id integer primary key, count integer) strict;
`

/** A value of a query: the value itself, or a parameter in its place. */
type Value = <T>(value: T) => T | Expression<T>

interface Case {
  readonly name: string
  readonly build: (db: Kysely<Database>, value: Value) => SyncQuery<unknown>
}

const longAgo = new Date(0)
const one = 1n
const big = 2n ** 60n + 1n

const CASES: readonly Case[] = [
  { name: 'select all', build: (db) => db.selectFrom('person').selectAll() },
  {
    name: 'select by key',
    build: (db, value) => db.selectFrom('person').selectAll().where('id', '=', value(1)),
  },
  {
    name: 'select nothing',
    build: (db, value) => db.selectFrom('person').selectAll().where('id', '=', value(99)),
  },
  {
    name: 'join, alias and aggregate',
    build: (db, value) =>
      db
        .selectFrom('person as p')
        .innerJoin('pet', 'pet.owner', 'p.id')
        .select((eb) => ['p.name as owner', eb.fn.countAll<number>().as('pets')])
        .where('pet.name', 'like', value('B%'))
        .groupBy('p.id'),
  },
  {
    name: 'duplicate column names',
    build: (db) => db.selectFrom('person').innerJoin('pet', 'owner', 'person.id').selectAll(),
  },
  {
    name: 'order, limit and offset',
    build: (db, value) =>
      db.selectFrom('pet').select('name').orderBy('name').limit(value(1)).offset(value(1)),
  },
  {
    name: 'in a list of values',
    build: (db, value) =>
      db
        .selectFrom('pet')
        .select('name')
        .where('id', 'in', [value(1), value(3)]),
  },
  {
    name: 'an expression',
    build: (db, value) =>
      db.selectFrom('person').select((eb) => eb('id', '+', value(10)).as('sum')),
  },
  {
    name: 'a common table expression',
    build: (db, value) =>
      db
        .with('old', (qb) => qb.selectFrom('person').select('name').where('age', '>', value(40)))
        .selectFrom('old')
        .selectAll(),
  },
  {
    name: 'a union',
    build: (db, value) =>
      db
        .selectFrom('pet')
        .select('name')
        .where('id', '=', value(1))
        .unionAll(
          db
            .selectFrom('person')
            .select(sql<string>`name`.as('name'))
            .limit(value(1)),
        ),
  },
  {
    name: 'insert one row',
    build: (db, value) => db.insertInto('person').values({ name: value('Eve'), age: value(20) }),
  },
  {
    name: 'insert two rows',
    build: (db, value) =>
      db.insertInto('person').values([{ name: value('Eve') }, { name: value('Bob') }]),
  },
  {
    name: 'insert with returning',
    build: (db, value) =>
      db
        .insertInto('person')
        .values({ name: value('Eve') })
        .returning(['id', 'name']),
  },
  {
    name: 'insert default values',
    build: (db) => db.insertInto('person').defaultValues(),
  },
  {
    name: 'insert with a trigger that inserts',
    build: (db, value) => db.insertInto('person').values({ name: value('Owner') }),
  },
  {
    name: 'insert a rowid beyond 2^53',
    build: (db, value) =>
      db.insertInto('person').values({ id: sql<number>`${value(big)}`, name: value('Far') }),
  },
  {
    name: 'insert into a table without rowid',
    build: (db, value) => db.insertInto('setting').values({ key: value('a'), value: value(1) }),
  },
  {
    name: 'insert into a view',
    build: (db, value) => db.insertInto('named').values({ name: value('View') }),
  },
  {
    name: 'insert into FTS5',
    build: (db, value) => db.insertInto('search').values({ text: value('hello') }),
  },
  {
    name: 'insert or ignore',
    build: (db, value) =>
      db
        .insertInto('person')
        .orIgnore()
        .values({ name: value('Ada') }),
  },
  {
    name: 'insert or replace',
    build: (db, value) =>
      db
        .insertInto('person')
        .orReplace()
        .values({ name: value('Ada') }),
  },
  {
    name: 'replace',
    build: (db, value) => db.replaceInto('person').values({ id: value(1), name: value('Ida') }),
  },
  {
    name: 'upsert that inserts',
    build: (db, value) =>
      db
        .insertInto('person')
        .values({ name: value('Eve') })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ age: value(1) })),
  },
  {
    name: 'upsert that updates',
    build: (db, value) =>
      db
        .insertInto('person')
        .values({ name: value('Ada') })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ age: value(1) })),
  },
  {
    name: 'upsert that does nothing',
    build: (db, value) =>
      db
        .insertInto('person')
        .values({ name: value('Ada') })
        .onConflict((conflict) => conflict.doNothing()),
  },
  {
    name: 'insert from a select',
    build: (db, value) =>
      db
        .insertInto('person')
        .columns(['name'])
        .expression(db.selectFrom('pet').select('name').where('id', '>', value(1))),
  },
  {
    name: 'update one row',
    build: (db, value) =>
      db
        .updateTable('person')
        .set({ age: value(37) })
        .where('id', '=', value(1)),
  },
  {
    name: 'update all rows',
    build: (db, value) => db.updateTable('person').set({ age: value(1) }),
  },
  {
    name: 'update no row',
    build: (db, value) =>
      db
        .updateTable('person')
        .set({ age: value(1) })
        .where('id', '=', value(99)),
  },
  {
    name: 'update that a trigger ignores',
    build: (db, value) =>
      db
        .updateTable('person')
        .set({ name: value('Ignored') })
        .where('id', '=', value(1)),
  },
  {
    name: 'update with returning',
    build: (db, value) =>
      db
        .updateTable('person')
        .set({ age: value(37) })
        .where('id', '=', value(1))
        .returningAll(),
  },
  {
    name: 'delete one row',
    build: (db, value) => db.deleteFrom('pet').where('id', '=', value(1)),
  },
  { name: 'delete all rows', build: (db) => db.deleteFrom('pet') },
  {
    name: 'delete with returning',
    build: (db, value) => db.deleteFrom('pet').where('id', '<', value(3)).returning('name'),
  },
  {
    name: 'raw select',
    build: (_, value) => sql`select ${value(5)} as five, typeof(${value('a')}) as type`,
  },
  {
    name: 'raw insert',
    build: (_, value) => sql`insert into person (name) values (${value('x')})`,
  },
  { name: 'raw schema statement', build: () => sql`create table t (a)` },
  { name: 'a pragma', build: () => sql`pragma table_info(pet)` },
  {
    name: 'a schema builder',
    build: (db) => db.schema.createTable('t').addColumn('a', 'integer'),
  },
  { name: 'drop table', build: (db) => db.schema.dropTable('pet') },
  {
    name: 'null',
    build: (db, value) => db.insertInto('person').values({ name: value(null) }),
  },
  {
    name: 'booleans',
    build: (_, value) => sql`select ${value(true)} as yes, ${value(false)} as no`,
  },
  {
    name: 'a bigint',
    build: (_, value) =>
      sql`select ${value(one)} as one, typeof(${value(one)}) as type, cast(${value(big)} as text) as big`,
  },
  {
    name: 'a bigint in values, set, where and limit',
    build: (db, value) =>
      db
        .insertInto('person')
        .columns(['age'])
        .expression((eb) =>
          eb
            .selectFrom('person')
            .select(sql<bigint>`${value(big)}`.as('age'))
            .where('id', '>=', sql<number>`${value(one)}`)
            .limit(value(one)),
        )
        .returning(sql`typeof(age)`.as('type')),
  },
  {
    name: 'BLOBs',
    build: (db, value) =>
      db
        .insertInto('blob')
        .values([
          { bytes: value(new Uint8Array([1, 2])) },
          { bytes: value(new Uint8Array([3]).buffer) },
        ])
        .returningAll(),
  },
  { name: 'reading a BLOB', build: (db) => db.selectFrom('blob').selectAll() },
  {
    name: 'infinity and negative zero',
    build: (_, value) => sql`select ${value(Infinity)} as a, ${value(-0)} as b`,
  },
  { name: 'a column named __proto__', build: () => sql`select 1 as __proto__, 2 as b` },
  {
    name: 'a broken constraint',
    build: (db, value) => db.insertInto('person').values({ name: value('Ada') }),
  },
  {
    name: 'a value of the wrong type',
    build: (db, value) => db.insertInto('strict').values({ id: value(1), count: value('many') }),
  },
  { name: 'a syntax error', build: () => sql`selec 1` },
  { name: 'no statement', build: () => sql`-- nothing` },
  { name: 'a transaction statement', build: () => sql`begin` },
  {
    name: 'an unknown column',
    build: (_, value) => sql`select ${sql.ref('nope')} from person where id = ${value(1)}`,
  },
  { name: 'NaN', build: (_, value) => sql`select ${value(Number.NaN)}` },
  { name: 'a Date', build: (_, value) => sql`select ${value(longAgo)}` },
  { name: 'an object', build: (_, value) => sql`select ${value({ a: 1 })}` },
  { name: 'a lone surrogate', build: (_, value) => sql`select ${value('\ud800')}` },
  { name: 'a bigint beyond 64 bits', build: (_, value) => sql`select ${value(2n ** 64n)}` },
  { name: 'pragma database_list', build: () => sql`pragma database_list` },
]

/** What the query gives, and what the object holds afterwards. */
interface Outcome {
  readonly output: unknown
  readonly tables: unknown
}

function outcomeOf(example: Case, run: Run): Promise<Outcome> {
  return inDurableObject<Database, Outcome>(async ({ db, storage }) => {
    storage.sql.exec(SCHEMA)
    let output: unknown
    try {
      output = await run(db, example.build, new SyncExecutor(db, storage))
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string }
      output = { name, message, code }
    }
    const tables: Record<string, unknown> = {}
    for (const { name } of storage.sql.exec<{ name: string }>(
      "select name from sqlite_schema where type = 'table' and name not glob '*_*' order by name",
    )) {
      tables[name] = storage.sql.exec(`select *, '' as _ from "${name}"`).toArray()
    }
    return { output, tables }
  })
}

type Run = (db: Kysely<Database>, build: Case['build'], sync: SyncExecutor) => unknown

/** As awaiting the query does. */
const asynchronously: Run = async (db, build) => {
  const query = build(db, (value) => value) as
    | RawBuilder<unknown>
    | { execute(): Promise<unknown[] | undefined> }
  const result = await query.execute(db)
  return Array.isArray(result) ? result : (result?.rows ?? [])
}

const synchronously: Run = (db, build, sync) => sync.execute(build(db, (value) => value))

const prepared: Run = (db, build, sync) => {
  const values: Record<string, unknown> = {}
  build(db, (value) => {
    values[`p${Object.keys(values).length}`] = value
    return value
  })
  return sync
    .prepare((param: QueryParameters<Record<string, never>>) => {
      let count = 0
      return build(db, () => param(`p${count++}`))
    })
    .execute(values as Record<string, never>)
}

describe('a synchronous and a prepared query', () => {
  for (const example of CASES) {
    it(`should do what awaiting it does: ${example.name}`, async () => {
      const expected = await outcomeOf(example, asynchronously)
      expect(await outcomeOf(example, synchronously)).toStrictEqual(expected)
      expect(await outcomeOf(example, prepared)).toStrictEqual(expected)
    })
  }
})
