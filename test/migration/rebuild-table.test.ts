import { sql as kyselySql } from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  type Migration,
  type Migrations,
  migrateTo,
  migrateToLatest,
  rebuildTable,
  type RebuildTableOptions,
} from '../../src/migration/index.js'
import { DurableObjectSqliteError, withoutForeignKeys } from '../../src/index.js'
import { inDurableObject, newObject } from '../harness.js'
import { codeOf, dump } from './helpers.js'

function foreignKeysOf({ sql }: DurableObjectStorage): unknown {
  return sql.exec('pragma foreign_keys').one()['foreign_keys']
}

function violationsOf({ sql }: DurableObjectStorage): unknown {
  return sql.exec('pragma foreign_key_check').toArray()
}

function rebuild(table: string, options: RebuildTableOptions): Migration {
  return {
    foreignKeys: 'off',
    async up(_, sql) {
      rebuildTable(sql, table, options)
    },
  }
}

const CREATE_PARENT = 'create table parent (id integer primary key, name text)'
const CREATE_STRICT_PARENT =
  'create table parent (id integer primary key, name text not null) strict'

describe('rebuildTable', () => {
  it.each(['on delete cascade', 'on delete set null', 'on delete restrict', ''])(
    'should keep 10,000 children that refer to the table with: %s',
    (action) =>
      inDurableObject(async ({ storage, sql }) => {
        const first = `
          ${CREATE_PARENT};
          create table child (id integer primary key, parent_id integer references parent (id) ${action});
          with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
            insert into parent select i, 'p' || i from n where i <= 100;
          insert into child select a.id * 100 + b.id, a.id from parent as a, parent as b;`
        await migrateToLatest(storage, { '0001': first })
        const children = (): unknown =>
          sql.exec('select count(*) as n, sum(parent_id) as sum from child').one()
        expect(children()).toEqual({ n: 10_000, sum: 505_000 })

        const rebuilt = {
          '0001': first,
          '0002': rebuild('parent', { create: CREATE_STRICT_PARENT }),
        }
        expect(await migrateToLatest(storage, rebuilt)).toEqual(['0002'])
        expect(children()).toEqual({ n: 10_000, sum: 505_000 })
        expect(sql.exec('select count(*) as n from parent').one()).toEqual({ n: 100 })
        expect(violationsOf(storage)).toEqual([])
        expect(foreignKeysOf(storage)).toBe(1)
        expect(() => sql.exec('insert into child values (1, 101)')).toThrow('FOREIGN KEY')
      }),
  )

  it('should keep the children inside blockConcurrencyWhile too', () =>
    inDurableObject(async ({ ctx, storage, sql }) => {
      const first = `${CREATE_PARENT}; insert into parent values (1, 'a');
        create table child (parent_id references parent (id) on delete cascade);
        insert into child values (1)`
      await ctx.blockConcurrencyWhile(() =>
        migrateToLatest(storage, {
          '0001': first,
          '0002': rebuild('parent', { create: CREATE_STRICT_PARENT }),
        }),
      )
      expect(sql.exec('select * from child').toArray()).toEqual([{ parent_id: 1 }])
      expect(foreignKeysOf(storage)).toBe(1)
    }))

  it('should keep rows that refer to rows of the same table', () =>
    inDurableObject(async ({ storage, sql }) => {
      const create = (strict: string): string =>
        `create table node (id integer primary key, up integer references node on delete cascade) ${strict}`
      await migrateToLatest(storage, {
        '0001': `${create('')}; insert into node values (1, null), (2, 1), (3, 2)`,
        '0002': rebuild('node', { create: create('strict') }),
      })
      expect([...sql.exec('select id, up from node').raw()]).toEqual([
        [1, null],
        [2, 1],
        [3, 2],
      ])
      sql.exec('delete from node where id = 1')
      expect(sql.exec('select * from node').toArray()).toEqual([])
    }))

  it('should keep the indexes, the triggers, the views and all that refers to the table', () =>
    inDurableObject(async ({ storage, sql }) => {
      const first = `
        create table Parent (id integer primary key, name text unique, size integer);
        create index parent_size on parent (size) where size > 1;
        create unique index "parent name" on parent (lower(name));
        create table log (text);
        create trigger parent_added after insert on PARENT begin
          insert into log select 'added ' || name from parent where id = new.id;
        end;
        create trigger parent_sized after update of size on parent begin
          insert into log values ('sized ' || new.name);
        end;
        create table child (parent_id references parent (id));
        create trigger child_added after insert on child begin
          update parent set size = size + 1 where id = new.parent_id;
        end;
        create view big as select p.name from parent as p where size > 1;
        create view bigger as select name from big;
        create trigger big_deleted instead of delete on big begin
          delete from parent where name = old.name;
        end;
        insert into parent values (1, 'a', 1), (2, 'b', 2);`
      await migrateToLatest(storage, { '0001': first })
      const others = (): unknown =>
        sql
          .exec(
            `select type, name, lower(tbl_name) as "table", sql from sqlite_schema
             where sql is not null and (type <> 'table' or name <> 'parent' collate nocase)
             order by name`,
          )
          .toArray()
      const before = others()

      const create =
        'create table parent (id integer primary key, name text unique, size int not null)'
      await migrateToLatest(storage, { '0001': first, '0002': rebuild('parent', { create }) })
      expect(others()).toEqual(before)
      sql.exec(`insert into parent values (3, 'c', 0)`)
      sql.exec('insert into child values (3)')
      sql.exec(`delete from big where name = 'b'`)
      expect([...sql.exec('select text from log').raw()].flat()).toEqual([
        'added a',
        'added b',
        'added c',
        'sized c',
      ])
      expect(() => sql.exec(`insert into parent values (4, 'A', 0)`)).toThrow('UNIQUE')
      expect([...sql.exec('select * from parent').raw()]).toEqual([
        [1, 'a', 1],
        [3, 'c', 1],
      ])
    }))

  it('should keep the counter of AUTOINCREMENT, also of an empty table and beyond 2^53', () =>
    inDurableObject(async ({ storage, sql }) => {
      const create = 'create table thing (id integer primary key autoincrement, x text)'
      await migrateToLatest(storage, {
        '0001': `${create}; insert into thing values (9007199254740993, 'a'); delete from thing`,
        '0002': rebuild('thing', { create: `${create} strict` }),
      })
      sql.exec(`insert into thing (x) values ('b')`)
      expect(sql.exec('select cast(id as text) as id from thing').one()).toEqual({
        id: '9007199254740994',
      })
      expect(
        sql.exec('select name, cast(seq as text) as seq from sqlite_sequence').toArray(),
      ).toEqual([{ name: 'thing', seq: '9007199254740994' }])
    }))

  it.each([
    ['a composite key with an INTEGER column', 'b integer, a text, primary key (b, a)'],
    ['integer primary key desc', 'b integer primary key desc, a text'],
    ['int primary key', 'b int primary key, a text'],
    ['integer primary key', 'b integer primary key, a text'],
  ])('should leave an external-content FTS5 table right for %s', (_, columns) =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `create table t (${columns});
          insert into t (b, a) values (7, 'seven'), (5, 'five'), (6, 'six');
          delete from t where b = 7; insert into t (b, a) values (8, 'eight');
          create virtual table search using fts5(a, content = 't', content_rowid = 'rowid');
          insert into search(search) values ('rebuild')`,
      })
      const rows = (): unknown => [...sql.exec('select rowid, b, a from t order by b').raw()]
      const found = (): unknown[] =>
        ['five', 'six', 'eight'].map((word) =>
          [
            ...sql.exec('select a from t where rowid in (select rowid from search(?))', word).raw(),
          ].flat(),
        )
      const before = rows()
      expect(found()).toEqual([['five'], ['six'], ['eight']])
      await withoutForeignKeys(storage, async () =>
        rebuildTable(sql, 't', { create: `create table t (${columns}) strict` }),
      )
      expect(rows()).toEqual(before)
      expect(found()).toEqual([['five'], ['six'], ['eight']])
    }),
  )

  it('should give a new column that stands for the rowids their values', () =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `create table t (x); insert into t (rowid, x) values (7, 'a'), (5, 'b')`,
        '0002': rebuild('t', { create: 'create table t (id integer primary key, x)' }),
      })
      expect([...sql.exec('select id, x from t').raw()]).toEqual([
        [5, 'b'],
        [7, 'a'],
      ])
    }))

  it('should give the rows other rowids where another expression fills the column for them', () =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `${CREATE_PARENT}; insert into parent values (1, 'one'), (2, 'two')`,
        '0002': rebuild('parent', { create: CREATE_STRICT_PARENT, copy: { id: 'id + 100' } }),
      })
      expect([...sql.exec('select rowid, name from parent').raw()]).toEqual([
        [101, 'one'],
        [102, 'two'],
      ])
    }))

  it.each([
    'PRAGMA "foreign_keys" = OFF',
    'pragma foreign_keys /* for the rebuild */ = off',
    'pragma foreign_keys = +0',
    'PRAGMA main.[foreign_keys](0)',
  ])('should keep the children where SQL text has: %s', (pragma) =>
    inDurableObject(async ({ storage, sql }) => {
      const first = `create table parent (id integer primary key);
        create table child (parent_id integer references parent (id) on delete cascade);
        insert into parent values (1); insert into child values (1)`
      const second = `${pragma};
        create table new (id integer primary key, name text);
        insert into new select id, null from parent;
        drop table parent;
        alter table new rename to parent;
        PRAGMA "foreign_keys" = ON`
      await migrateToLatest(storage, { '0001': first, '0002': second })
      expect(sql.exec('select * from child').toArray()).toEqual([{ parent_id: 1 }])
      expect(foreignKeysOf(storage)).toBe(1)
    }),
  )

  it.each<[string, Migration['up']]>([
    ['db', (db) => kyselySql`PRAGMA "foreign_keys" = OFF`.execute(db)],
    ['sql', async (_, sql) => void sql.exec('PRAGMA "foreign_keys" = OFF')],
    ['sql, before another', async (_, sql) => void sql.exec('pragma foreign_keys = +0; select 1')],
  ])('should be refused where a function sends the pragma to %s', (_, up) =>
    inDurableObject(async ({ storage }) => {
      await expect(migrateToLatest(storage, { '0001': { up } })).rejects.toMatchObject({
        code: 'ERR_MIGRATION_FAILED',
        cause: { code: 'ERR_PRAGMA_IGNORED' },
      })
    }),
  )

  it('should keep the rowids of a table in which no column stands for them', () =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `create table t (x); insert into t (rowid, x) values (7, 'a'), (5, 'b')`,
        '0002': rebuild('t', { create: 'create table t (x text not null)' }),
      })
      expect([...sql.exec('select rowid, x from t').raw()]).toEqual([
        [5, 'b'],
        [7, 'a'],
      ])
    }))

  it.each([
    [
      'into a table WITHOUT ROWID',
      'create table t (x primary key)',
      'create table t (x primary key) without rowid',
    ],
    [
      'out of a table WITHOUT ROWID',
      'create table t (x primary key) without rowid',
      'create table t (x primary key)',
    ],
    [
      'with a column rowid',
      'create table t (x, rowid text)',
      'create table t (x primary key, rowid text)',
    ],
    [
      'with generated columns',
      'create table t (x, y as (x + 1), z as (x) stored)',
      'create table t (x not null, y as (x + 2))',
    ],
    [
      'with a name to quote',
      'create table t (x, "a `b""c;")',
      'create table t (x not null, "a `b""c;" text)',
    ],
  ])('should keep the rows %s', (_, before, after) =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `${before}; insert into t (x) values (1), (2)`,
        '0002': rebuild('t', { create: after }),
      })
      expect([...sql.exec('select x from t').raw()]).toEqual([[1], [2]])
    }),
  )

  it("should take Kysely's create table, expressions for columns and columns to drop", () =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': `create table person (id integer primary key, first text, last text, Age text);
          insert into person values (1, 'Ada', 'Lovelace', '36')`,
        '0002': {
          foreignKeys: 'off',
          async up(db, sql) {
            rebuildTable(sql, 'person', {
              create: db.schema
                .createTable('person')
                .addColumn('id', 'integer', (column) => column.primaryKey())
                .addColumn('age', 'integer')
                .addColumn('name', 'text', (column) => column.notNull())
                .addColumn('state', 'text', (column) => column.defaultTo('new')),
              copy: { name: `person.first || ' ' || last` },
              drop: ['first', 'last'],
            })
          },
        },
      })
      expect(sql.exec('select * from person').toArray()).toEqual([
        { id: 1, age: 36, name: 'Ada Lovelace', state: 'new' },
      ])
    }))

  const TABLE = `${CREATE_PARENT}; insert into parent values (1, 'a'), (2, null)`

  it.each<[string, string, Migration]>([
    [
      'foreign keys are on',
      'ERR_TABLE_REBUILD',
      { up: rebuild('parent', { create: CREATE_STRICT_PARENT }).up },
    ],
    [
      'there is no such table',
      'ERR_TABLE_REBUILD',
      rebuild('nope', { create: 'create table nope (x)' }),
    ],
    ['it is a view', 'ERR_TABLE_REBUILD', rebuild('v', { create: 'create table v (x)' })],
    [
      'create makes another table',
      'ERR_TABLE_REBUILD',
      rebuild('parent', { create: 'create table other (x)' }),
    ],
    [
      'values would be lost',
      'ERR_TABLE_REBUILD',
      rebuild('parent', { create: 'create table parent (id integer primary key)' }),
    ],
    [
      'a column to drop is unknown',
      'ERR_TABLE_REBUILD',
      rebuild('parent', { create: CREATE_PARENT, drop: ['nope'] }),
    ],
    [
      'a column to fill is unknown',
      'ERR_TABLE_REBUILD',
      rebuild('parent', { create: CREATE_PARENT, copy: { nope: '1' } }),
    ],
    [
      'a view would not work any more',
      'ERR_TABLE_REBUILD',
      rebuild('parent', { create: 'create table parent (id integer primary key)', drop: ['name'] }),
    ],
    [
      'a row does not fit',
      'SQLITE_CONSTRAINT_NOTNULL',
      rebuild('parent', { create: CREATE_STRICT_PARENT }),
    ],
    [
      'a row is referred to that is gone',
      'ERR_FOREIGN_KEY_VIOLATION',
      { foreignKeys: 'off', up: 'delete from parent where id = 1' },
    ],
    [
      'up throws',
      'ERR_READ_ONLY_TRANSACTION',
      {
        foreignKeys: 'off',
        async up(db) {
          await db.schema.dropTable('child').execute()
          throw new DurableObjectSqliteError('ERR_READ_ONLY_TRANSACTION', 'thrown')
        },
      },
    ],
  ])('should undo everything and turn foreign keys on when %s', (_, code, migration) =>
    inDurableObject(async ({ storage }) => {
      const given: Migrations = {
        '0001': `${TABLE}; create table child (parent_id references parent (id) on delete cascade);
          insert into child values (1); create view v as select name from parent`,
      }
      await migrateToLatest(storage, given)
      const before = dump(storage)
      await expect(migrateToLatest(storage, { ...given, '0002': migration })).rejects.toMatchObject(
        {
          code: 'ERR_MIGRATION_FAILED',
          cause: { code },
        },
      )
      expect(dump(storage)).toEqual(before)
      expect(foreignKeysOf(storage)).toBe(1)
      expect(violationsOf(storage)).toEqual([])
    }),
  )

  it.each(['insert', 'update', 'delete'])(
    'should be refused when a trigger before %s would not work any more',
    (event) =>
      inDurableObject(async ({ storage }) => {
        const given = {
          '0001': `${TABLE}; create table log (text);
            create trigger on_log before ${event} ${event === 'update' ? 'of text' : ''} on log begin
              select name from parent;
            end`,
        }
        await migrateToLatest(storage, given)
        const options = { create: 'create table parent (id integer primary key)', drop: ['name'] }
        await expect(
          migrateToLatest(storage, { ...given, '0002': rebuild('parent', options) }),
        ).rejects.toThrow(`of log no longer works: no such column: name`)
      }),
  )

  it('should leave alone a view that did not work before', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, {
        '0001': `${TABLE}; create view broken as select * from nope;
          create view v as select id from parent`,
        '0002': rebuild('parent', { create: `${CREATE_PARENT} strict` }),
      })
      expect(storage.sql.exec('select * from v').toArray()).toEqual([{ id: 1 }, { id: 2 }])
    }))

  it('should be refused outside a migration with foreign keys off', () =>
    inDurableObject(async ({ storage, sql }) => {
      sql.exec(CREATE_PARENT)
      expect(
        await codeOf(
          Promise.resolve().then(() =>
            rebuildTable(sql, 'parent', { create: CREATE_STRICT_PARENT }),
          ),
        ),
      ).toBe('ERR_TABLE_REBUILD')
      expect(foreignKeysOf(storage)).toBe(1)
    }))
})

describe("foreignKeys: 'off'", () => {
  it('should turn them off for `up` and `down` alike', () =>
    inDurableObject(async ({ storage, sql }) => {
      const seen: unknown[] = []
      const look = async (): Promise<void> => {
        seen.push(foreignKeysOf(storage))
      }
      const migrations: Migrations = {
        '0001': { up: look, down: look },
        '0002': { foreignKeys: 'off', up: look, down: look },
      }
      sql.exec('create table a (x)')
      await migrateToLatest(storage, migrations)
      sql.exec('insert into a values (1)')
      await migrateTo(storage, migrations, '0001')
      expect(seen).toEqual([1, 0, 0])
      expect(foreignKeysOf(storage)).toBe(1)
    }))

  it('should be refused in a transaction of the platform, where SQLite ignores it', () =>
    inDurableObject(async ({ storage }) => {
      await storage.transaction(async () => {
        await expect(
          migrateToLatest(storage, { '0001': { foreignKeys: 'off', up: 'create table a (x)' } }),
        ).rejects.toMatchObject({ cause: { code: 'ERR_PRAGMA_IGNORED' } })
      })
      expect(foreignKeysOf(storage)).toBe(1)
    }))

  it('should let no other event write without foreign keys', async () => {
    const stub = newObject()
    const first = `${CREATE_PARENT}; create table child (parent_id references parent)`
    await inDurableObject(({ storage }) => migrateToLatest(storage, { '0001': first }), { stub })
    const rebuilds = Array.from({ length: 20 }, (_, index): [string, Migration] => [
      `0002_${String(index).padStart(2, '0')}`,
      rebuild('parent', { create: CREATE_PARENT }),
    ])
    const migrated = inDurableObject(
      ({ storage }) => migrateToLatest(storage, { '0001': first, ...Object.fromEntries(rebuilds) }),
      { stub },
    )
    const writers = Array.from({ length: 50 }, () =>
      inDurableObject(({ sql }) => void sql.exec('insert into child values (7)'), { stub }).then(
        () => 'written',
        (error: Error) => error.message.split(':')[0],
      ),
    )
    expect(new Set(await Promise.all(writers))).toEqual(new Set(['FOREIGN KEY constraint failed']))
    expect(await migrated).toHaveLength(20)
  })
})
