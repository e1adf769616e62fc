import {
  CompiledQuery,
  type Generated,
  type InsertQueryBuilder,
  type InsertResult,
  type Kysely,
  sql,
} from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string | null; returning: Generated<number> }
  word: { word: string; uses: Generated<number> }
  person_name: { name: string | null }
  log: { message: string }
  auto: { id: Generated<number>; name: string }
}

const schema = `
  create table person (
    id integer primary key, name text unique, "returning" integer not null default 7
  );
  create index person_returning on person ("returning");
  create table log (message text);
  create trigger person_insert after insert on person
    begin insert into log values ('insert ' || new.name), ('again'); end;
  create trigger person_update after update on person
    begin insert into log values ('update ' || new.name); end;
  create table word (word text primary key, uses integer not null default 1) without rowid;
  create table auto (id integer primary key autoincrement, name text unique);
  create view person_name as select name from person;
  create trigger person_name_insert instead of insert on person_name
    begin insert into person (name) values (new.name); end;
`

function withTables<T>(
  body: (db: Kysely<Database>, exec: Scope<Database>['exec']) => Promise<T>,
): Promise<T> {
  return inDurableObject<Database, T>(async ({ db, exec }) => {
    await exec(schema)
    return body(db, exec)
  })
}

function raw(db: Kysely<Database>, text: string, parameters: unknown[] = []) {
  return db.executeQuery(CompiledQuery.raw(text, parameters))
}

describe('a statement with result columns', () => {
  it('should return its rows and nothing else', () =>
    withTables(async (db) => {
      const insert = db.insertInto('person').values({ name: 'Ada' }).returning(['id', 'name'])
      expect(await db.executeQuery(insert)).toEqual({ rows: [{ id: 1, name: 'Ada' }] })
      const update = db.updateTable('person').set({ name: 'Grace' }).returningAll()
      expect(await db.executeQuery(update)).toEqual({
        rows: [{ id: 1, name: 'Grace', returning: 7 }],
      })
      const remove = db.deleteFrom('person').returning('name')
      expect(await db.executeQuery(remove)).toEqual({ rows: [{ name: 'Grace' }] })
      expect(await db.executeQuery(remove)).toEqual({ rows: [] })
    }))

  it.each([
    ['/* a comment */ select 1 as one', [{ one: 1 }]],
    ['-- a comment\nselect 1 as one', [{ one: 1 }]],
    ['values (1), (2)', [{ column1: 1 }, { column1: 2 }]],
    ['with n(i) as (values (1), (2)) select i from n', [{ i: 1 }, { i: 2 }]],
    ['pragma foreign_keys', [{ foreign_keys: 1 }]],
    ['select "returning" from person', []],
  ])('should recognize %s as raw SQL', (text, rows) =>
    withTables(async (db) => {
      expect(await raw(db, text)).toEqual({ rows })
    }),
  )
})

describe('a write without result columns', () => {
  it('should return the number of rows and the id of the last one', () =>
    withTables(async (db) => {
      const two = db.insertInto('person').values([{ name: 'Ada' }, { name: 'Grace' }])
      expect(await db.executeQuery(two)).toEqual({ rows: [], numAffectedRows: 2n, insertId: 2n })
    }))

  it('should count its own rows, not those of triggers, indexes and foreign keys', () =>
    withTables(async (db, exec) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const update = db.updateTable('person').set({ returning: 8 })
      expect(await db.executeQuery(update)).toEqual({ rows: [], numAffectedRows: 1n })
      await exec(`
        create table parent (id integer primary key);
        create table child (parent_id integer references parent on delete cascade);
        insert into parent values (1), (2);
        insert into child values (1), (1), (1), (2)`)
      const parents = db.withTables<{ parent: { id: number } }>()
      const remove = parents.deleteFrom('parent').where('id', '=', 1)
      expect(await parents.executeQuery(remove)).toEqual({ rows: [], numAffectedRows: 1n })
    }))

  it('should return no rows and no id where nothing was changed', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const nothing = { rows: [], numAffectedRows: 0n }
      const again = db.insertInto('person').values({ name: 'Ada' })
      expect(await db.executeQuery(again.orIgnore())).toEqual(nothing)
      expect(await db.executeQuery(again.onConflict((oc) => oc.doNothing()))).toEqual(nothing)
      expect(
        await db.executeQuery(db.updateTable('person').set({ name: 'x' }).where('id', '=', 5)),
      ).toEqual(nothing)
      expect(await db.executeQuery(db.deleteFrom('person').where('id', '=', 5))).toEqual(nothing)
    }))

  it('should return the id of the rows that were inserted although others were ignored', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const ignore = db
        .insertInto('person')
        .values([{ name: 'Grace' }, { name: 'Ada' }])
        .orIgnore()
      expect(await db.executeQuery(ignore)).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: 2n,
      })
    }))

  it('should return no id for an upsert, of which SQLite does not tell whether it inserted', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      await db.insertInto('person').values({ name: 'Grace' }).execute()
      const upsert = db
        .insertInto('person')
        .values({ name: 'Ada' })
        .onConflict((oc) => oc.column('name').doUpdateSet({ returning: 9 }))
      expect(await db.executeQuery(upsert)).toEqual({ rows: [], numAffectedRows: 1n })
      expect(
        await db.selectFrom('person').select(['id', 'returning']).orderBy('id').execute(),
      ).toEqual([
        { id: 1, returning: 9 },
        { id: 2, returning: 7 },
      ])
    }))

  it.each([
    [
      'on conflict do nothing',
      (it: InsertQueryBuilder<Database, 'auto', InsertResult>) =>
        it.onConflict((oc) => oc.doNothing()),
    ],
    ['or ignore', (it: InsertQueryBuilder<Database, 'auto', InsertResult>) => it.orIgnore()],
  ])('should return no id where an AUTOINCREMENT table takes no row, with %s', (_, form) =>
    withTables(async (db) => {
      await db.insertInto('auto').values({ name: 'Ada' }).execute()
      await db.insertInto('person').values({ id: 77, name: 'Ada' }).execute()
      expect(await db.executeQuery(form(db.insertInto('auto').values({ name: 'Ada' })))).toEqual({
        rows: [],
        numAffectedRows: 0n,
      })
      expect(await db.executeQuery(form(db.insertInto('auto').values({ name: 'Eve' })))).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: expect.any(BigInt),
      })
    }),
  )

  it('should return no id where a BEFORE trigger wrote and the insert did not', () =>
    withTables(async (db, exec) => {
      await exec(`create trigger person_before before insert on person
        begin insert into auto (name) values ('before ' || new.name); end`)
      const insert = db.insertInto('person').values({ name: 'Ada' })
      expect(await db.executeQuery(insert)).toMatchObject({ insertId: 1n })
      await exec(`insert into auto values (500, 'x')`)
      await exec(`delete from auto where name = 'before Ada'`)
      expect(await db.executeQuery(insert.orIgnore())).toEqual({ rows: [], numAffectedRows: 0n })
    }))

  it('should return the new id of a replaced row', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      expect(await db.executeQuery(db.replaceInto('person').values({ name: 'Ada' }))).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: 2n,
      })
    }))

  it('should return no id for a WITHOUT ROWID table and for a view', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ id: 41, name: 'Ada' }).execute()
      expect(await db.executeQuery(db.insertInto('word').values({ word: 'a' }))).toEqual({
        rows: [],
        numAffectedRows: 1n,
      })
      const upsert = db
        .insertInto('word')
        .values([{ word: 'a' }, { word: 'b' }])
        .onConflict((oc) => oc.column('word').doUpdateSet({ uses: 2 }))
      expect(await db.executeQuery(upsert)).toEqual({ rows: [], numAffectedRows: 2n })
      const view = db.insertInto('person_name').values({ name: 'Grace' })
      expect(await db.executeQuery(view)).toEqual({ rows: [], numAffectedRows: 0n })
      expect(await db.selectFrom('person').select('name').execute()).toHaveLength(2)
    }))

  it('should learn anew which table has a rowid when the schema has changed', () =>
    withTables(async (db) => {
      await db.insertInto('word').values({ word: 'a' }).execute()
      await db.schema.dropTable('word').execute()
      await sql`create table word (word text primary key, uses integer not null default 1)`.execute(
        db,
      )
      expect(await db.executeQuery(db.insertInto('word').values({ word: 'a' }))).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: 1n,
      })
    }))

  it('should return an id beyond 2^53 exactly', () =>
    withTables(async (db) => {
      const id = 2n ** 63n - 2n
      const insert = raw(db, `insert into person (id, name) values (${id}, 'Ada')`)
      expect(await insert).toEqual({ rows: [], numAffectedRows: 1n, insertId: id })
      expect(await db.executeQuery(db.insertInto('person').values({ name: 'Grace' }))).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: id + 1n,
      })
    }))

  it('should be recognized as raw SQL and with a common table expression', () =>
    withTables(async (db) => {
      const insert = `with n(name) as (values ('Ada'), ('Grace')) insert into person (name) select name from n`
      expect(await raw(db, insert)).toEqual({ rows: [], numAffectedRows: 2n, insertId: 2n })
      const update = `with n(id) as (values (1)) update person set name = 'Bob' where id in (select id from n)`
      expect(await raw(db, update)).toMatchObject({ rows: [], numAffectedRows: 1n })
      const remove = `/* all */ with n(id) as (values (1), (2)) delete from person where id in (select id from n)`
      expect(await raw(db, remove)).toMatchObject({ rows: [], numAffectedRows: 2n })
      const built = db
        .with('n', (qb) => qb.selectNoFrom(sql<string>`'Eve'`.as('name')))
        .insertInto('person')
        .columns(['name'])
        .expression((eb) => eb.selectFrom('n').select('n.name'))
      expect(await db.executeQuery(built)).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: 1n,
      })
    }))
})

describe('a raw write', () => {
  it.each([
    `insert into person (id, name) values (9, 'Ada')`,
    `-- one\ninsert  into\n"person" (id, name) values (9, 'Ada')`,
    'insert or replace into `person` (id, name) values (9, 1)',
    `INSERT OR IGNORE INTO main.person(id, name) VALUES (9, 'Ada');`,
    `replace into [person] (id, name) values (9, 'Ada')`,
    `with n(id) as (values (9)) insert into person (id) select id from n`,
    `insert into person (id) values (9) on conflict do nothing`,
  ])('should return the id of %s', (text) =>
    withTables(async (db) => {
      expect(await raw(db, text)).toEqual({ rows: [], numAffectedRows: 1n, insertId: 9n })
    }),
  )

  it('should return the id 0 of a row that has it', () =>
    withTables(async (db) => {
      await db.insertInto('person').values({ id: 5, name: 'Ada' }).execute()
      expect(await raw(db, 'insert into person (id) values (0)')).toEqual({
        rows: [],
        numAffectedRows: 1n,
        insertId: 0n,
      })
    }))

  it.each([
    ['an update', `update person set name = 'Eve' where id = 1`],
    ['a delete', 'delete from person where id = 1'],
    [
      'an update with a common table expression',
      'with n(id) as (values (1)) update person set name = 9 where id in n',
    ],
    [
      'an upsert, which may have updated',
      `insert into person (id, name) values (1, 'Eve') on conflict do update set name = 'Eve'`,
    ],
    ['a table without rowid', `insert into word (word) values ('a')`],
    [
      'a text with another verb, which might be its own',
      `insert into person (name) values ('delete')`,
    ],
    ['a text whose table is not plain', `insert into 'person' (name) values ('Eve')`],
    ['an id of a quoted name that looks like one', 'update `insert into person` set a = 2'],
  ])('should return no id for %s', (_, text) =>
    withTables(async (db, exec) => {
      await exec(
        'create table `insert into person` (a); insert into `insert into person` values (1)',
      )
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      expect(await raw(db, text)).toEqual({ rows: [], numAffectedRows: 1n })
    }),
  )

  it('should return no id where it inserted nothing', () =>
    withTables(async (db) => {
      await db.insertInto('auto').values({ name: 'Ada' }).execute()
      await db.insertInto('person').values({ id: 77, name: 'Ada' }).execute()
      expect(await raw(db, `insert or ignore into auto (name) values ('Ada')`)).toEqual({
        rows: [],
        numAffectedRows: 0n,
      })
    }))
})

describe('a schema statement', () => {
  it('should change no rows, whatever the write before it did', () =>
    withTables(async (db) => {
      const nothing = { rows: [], numAffectedRows: 0n }
      await db
        .insertInto('person')
        .values([{ name: 'Ada' }, { name: 'Grace' }])
        .execute()
      const create = db.schema.createTable('a').addColumn('b', 'text')
      expect(await db.executeQuery(create.compile())).toEqual(nothing)
      const index = db.schema.createIndex('a_b').on('a').column('b')
      expect(await db.executeQuery(index.compile())).toEqual(nothing)
      const alter = db.schema.alterTable('a').addColumn('c', 'text')
      expect(await db.executeQuery(alter.compile())).toEqual(nothing)
      expect(await raw(db, '-- copied\n create table copy as select * from person')).toEqual(
        nothing,
      )
      expect(await raw(db, 'drop table copy')).toEqual(nothing)
      expect(await db.executeQuery(db.schema.dropTable('a').compile())).toEqual(nothing)
    }))
})

describe('rows', () => {
  it('should be ordinary objects, with a column named __proto__ as a column', () =>
    withTables(async (db) => {
      const { rows } = await raw(db, 'select 1 as `__proto__`, 2 as `constructor`, 3 as `a`')
      const [row] = rows as [Record<string, unknown>]
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
      expect(Object.entries(row)).toEqual([
        ['__proto__', 1],
        ['constructor', 2],
        ['a', 3],
      ])
    }))

  it('should keep the last of two columns with one name', () =>
    withTables(async (db) => {
      expect(await raw(db, 'select 1 as a, 2 as a')).toEqual({ rows: [{ a: 2 }] })
    }))
})
