import { sql as raw, SqliteIntrospector } from 'kysely'
import { describe, expect, it } from 'vitest'
import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { DurableObjectSqliteError, introspectSchema, type TableSchema } from '../../src/index.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'

async function create({ exec }: Scope<never>, ...statements: string[]): Promise<void> {
  for (const statement of statements) {
    await exec(statement)
  }
}

function tableOf({ sql }: Scope<never>, name: string): TableSchema {
  const table = introspectSchema(sql).find((table) => table.name === name)
  expect(table).toBeDefined()
  return table!
}

/** Tables of the platform, of virtual tables and of the user, and views that cannot be read. */
async function createMixture(scope: Scope<never>): Promise<void> {
  await scope.inside(async ({ storage }) => {
    await storage.put('key', 'value')
    await storage.setAlarm(Date.now() + 60_000)
  })
  await create(
    scope,
    'create table acf_x (id integer primary key, name text not null)',
    'create table _x (a)',
    'create table cf_kv (a)',
    'create virtual table docs using fts5(title, body)',
    'create virtual table box using rtree(id, min_x, max_x, +label)',
    'create view good as select name from acf_x',
    'create table dropped (a)',
    'create view z_on_dropped as select a from dropped',
    'create view y_without_column as select nope from _x',
    'drop table dropped',
    // Not in the way of autoincrement's sqlite_sequence and of analyze's sqlite_stat1.
    'create table numbered (id integer primary key autoincrement)',
    'insert into numbered default values',
    'analyze',
  )
}

// It reads ctx.storage.sql itself, which is inside the object.
describe.skipIf(isRemote)('introspectSchema', () => {
  it('should read every property of columns', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        `create table item (
          id INTEGER PRIMARY KEY,
          "na me" varchar(20) not null default 'a, (b' collate nocase, -- check (no)
          untyped,
          stamp datetime default current_timestamp,
          total real generated always as (id * 2) stored,
          label text as ('#' || id)
        )`,
      )
      expect(tableOf(scope, 'item')).toMatchInlineSnapshot(`
        {
          "checks": [],
          "columns": [
            {
              "autoIncrement": true,
              "collation": "BINARY",
              "declaredType": "INTEGER",
              "defaultValue": null,
              "generated": null,
              "name": "id",
              "notNull": true,
              "primaryKey": 1,
            },
            {
              "autoIncrement": false,
              "collation": "NOCASE",
              "declaredType": "varchar(20)",
              "defaultValue": "'a, (b'",
              "generated": null,
              "name": "na me",
              "notNull": true,
              "primaryKey": 0,
            },
            {
              "autoIncrement": false,
              "collation": "BINARY",
              "declaredType": "",
              "defaultValue": null,
              "generated": null,
              "name": "untyped",
              "notNull": false,
              "primaryKey": 0,
            },
            {
              "autoIncrement": false,
              "collation": "BINARY",
              "declaredType": "datetime",
              "defaultValue": "current_timestamp",
              "generated": null,
              "name": "stamp",
              "notNull": false,
              "primaryKey": 0,
            },
            {
              "autoIncrement": false,
              "collation": "BINARY",
              "declaredType": "REAL",
              "defaultValue": null,
              "generated": "stored",
              "name": "total",
              "notNull": false,
              "primaryKey": 0,
            },
            {
              "autoIncrement": false,
              "collation": "BINARY",
              "declaredType": "TEXT",
              "defaultValue": null,
              "generated": "virtual",
              "name": "label",
              "notNull": false,
              "primaryKey": 0,
            },
          ],
          "foreignKeys": [],
          "indexes": [],
          "kind": "table",
          "name": "item",
          "strict": false,
          "triggers": [],
          "withoutRowid": false,
        }
      `)
    }))

  it('should tell a rowid alias from other primary keys', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table a_alias (id integer primary key)',
        'create table b_descending (id integer primary key desc)',
        'create table c_table_constraint (id integer, primary key (id desc))',
        'create table d_int (id int primary key)',
        'create table e_text (id text primary key)',
        'create table f_without_rowid (id integer primary key) without rowid',
        'create table g_strict (id text primary key) strict',
        'create table h_composite (a integer, b integer, primary key (b, a))',
      )
      expect(
        introspectSchema(scope.sql).map(({ name, columns }) => [
          name,
          ...columns.map(({ primaryKey, notNull, autoIncrement }) => ({
            primaryKey,
            notNull,
            autoIncrement,
          })),
        ]),
      ).toMatchInlineSnapshot(`
        [
          [
            "a_alias",
            {
              "autoIncrement": true,
              "notNull": true,
              "primaryKey": 1,
            },
          ],
          [
            "b_descending",
            {
              "autoIncrement": false,
              "notNull": false,
              "primaryKey": 1,
            },
          ],
          [
            "c_table_constraint",
            {
              "autoIncrement": true,
              "notNull": true,
              "primaryKey": 1,
            },
          ],
          [
            "d_int",
            {
              "autoIncrement": false,
              "notNull": false,
              "primaryKey": 1,
            },
          ],
          [
            "e_text",
            {
              "autoIncrement": false,
              "notNull": false,
              "primaryKey": 1,
            },
          ],
          [
            "f_without_rowid",
            {
              "autoIncrement": false,
              "notNull": true,
              "primaryKey": 1,
            },
          ],
          [
            "g_strict",
            {
              "autoIncrement": false,
              "notNull": true,
              "primaryKey": 1,
            },
          ],
          [
            "h_composite",
            {
              "autoIncrement": false,
              "notNull": false,
              "primaryKey": 2,
            },
            {
              "autoIncrement": false,
              "notNull": false,
              "primaryKey": 1,
            },
          ],
        ]
      `)
    }))

  it('should read STRICT and WITHOUT ROWID', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table plain (a)',
        'create table strict_one (a int) strict',
        'create table without_rowid_one (a primary key) without rowid',
        'create table both (a int primary key) strict, without rowid',
      )
      expect(
        introspectSchema(scope.sql).map(({ name, strict, withoutRowid }) => [
          name,
          strict,
          withoutRowid,
        ]),
      ).toEqual([
        ['both', true, true],
        ['plain', false, false],
        ['strict_one', true, false],
        ['without_rowid_one', false, true],
      ])
    }))

  it('should read CHECK constraints as written', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        `create table "check (a" (
          "check" int check ( "check" in (1, /* ( */ 2) ),
          [a)] text default ('check (1)') constraint named CHECK([a)] <> ')' and \`check\` > 0),
          c as (check_it) check (c is not null),
          check_it text,
          -- check (0)
          constraint table_check check (length(check_it) < 10) check(1), check ( 2 )
        )`,
        'alter table "check (a" add column added text check (added in (\'x\'))',
      )
      expect(tableOf(scope, 'check (a').checks).toEqual([
        '"check" in (1, /* ( */ 2)',
        "[a)] <> ')' and `check` > 0",
        'c is not null',
        "added in ('x')",
        'length(check_it) < 10',
        '1',
        '2',
      ])
    }))

  it('should read foreign keys with their actions, in the order of declaration', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table parent (a int, b int, primary key (b, a))',
        'create table other (id integer primary key)',
        `create table child (
          x int references OTHER on delete cascade on update set null,
          y int references missing,
          a int, b int,
          foreign key (b, a) references parent on delete restrict,
          foreign key (a) references other (id) on update set default
        )`,
      )
      expect(tableOf(scope, 'child').foreignKeys).toMatchInlineSnapshot(`
        [
          {
            "columns": [
              "x",
            ],
            "onDelete": "CASCADE",
            "onUpdate": "SET NULL",
            "referencedColumns": [
              "id",
            ],
            "referencedTable": "OTHER",
          },
          {
            "columns": [
              "y",
            ],
            "onDelete": "NO ACTION",
            "onUpdate": "NO ACTION",
            "referencedColumns": [],
            "referencedTable": "missing",
          },
          {
            "columns": [
              "b",
              "a",
            ],
            "onDelete": "RESTRICT",
            "onUpdate": "NO ACTION",
            "referencedColumns": [
              "b",
              "a",
            ],
            "referencedTable": "parent",
          },
          {
            "columns": [
              "a",
            ],
            "onDelete": "NO ACTION",
            "onUpdate": "SET DEFAULT",
            "referencedColumns": [
              "id",
            ],
            "referencedTable": "other",
          },
        ]
      `)
    }))

  it('should read indexes with their columns', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table item (a int, b text unique, c int, primary key (a, c))',
        'create unique index partial on item (b collate nocase, c desc) where a > 0',
        'create index expression on item (lower(b), a)',
      )
      expect(tableOf(scope, 'item').indexes).toMatchInlineSnapshot(`
        [
          {
            "columns": [
              {
                "collation": "BINARY",
                "descending": false,
                "name": null,
              },
              {
                "collation": "BINARY",
                "descending": false,
                "name": "a",
              },
            ],
            "name": "expression",
            "origin": "create",
            "partial": false,
            "sql": "CREATE INDEX expression on item (lower(b), a)",
            "unique": false,
          },
          {
            "columns": [
              {
                "collation": "NOCASE",
                "descending": false,
                "name": "b",
              },
              {
                "collation": "BINARY",
                "descending": true,
                "name": "c",
              },
            ],
            "name": "partial",
            "origin": "create",
            "partial": true,
            "sql": "CREATE UNIQUE INDEX partial on item (b collate nocase, c desc) where a > 0",
            "unique": true,
          },
          {
            "columns": [
              {
                "collation": "BINARY",
                "descending": false,
                "name": "b",
              },
            ],
            "name": "sqlite_autoindex_item_1",
            "origin": "unique",
            "partial": false,
            "sql": null,
            "unique": true,
          },
          {
            "columns": [
              {
                "collation": "BINARY",
                "descending": false,
                "name": "a",
              },
              {
                "collation": "BINARY",
                "descending": false,
                "name": "c",
              },
            ],
            "name": "sqlite_autoindex_item_2",
            "origin": "primary key",
            "partial": false,
            "sql": null,
            "unique": true,
          },
        ]
      `)
    }))

  it('should read the names of triggers, on views too', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table Item (a)',
        'create view shown as select a from item',
        'create trigger second after insert on ITEM begin select 1; end',
        'create trigger first before delete on item begin select 1; end',
        'create trigger instead instead of insert on shown begin select 1; end',
      )
      expect(introspectSchema(scope.sql).map(({ name, triggers }) => [name, triggers])).toEqual([
        ['Item', ['first', 'second']],
        ['shown', ['instead']],
      ])
    }))

  it('should show what is of the user and nothing else, beside KV, an alarm and broken views', () =>
    inDurableObject<never>(async (scope) => {
      await createMixture(scope)
      expect(
        introspectSchema(scope.sql).map(({ name, kind, columns }) => [
          kind,
          name,
          ...columns.map(({ name }) => name),
        ]),
      ).toEqual([
        ['table', '_x', 'a'],
        ['table', 'acf_x', 'id', 'name'],
        ['virtual', 'box', 'id', 'min_x', 'max_x', 'label'],
        ['table', 'cf_kv', 'a'],
        ['virtual', 'docs', 'title', 'body'],
        ['view', 'good', 'name'],
        ['table', 'numbered', 'id'],
        ['view', 'y_without_column'],
        ['view', 'z_on_dropped'],
      ])
    }))

  it('should read views that SQLite has not counted the columns of', () =>
    inDurableObject<never>(async (scope) => {
      const good = Array.from({ length: 20 }, (_, i) => `good_${String(i).padStart(2, '0')}`)
      await create(
        scope,
        ...good.map((name) => `create view ${name} as select 1 as a, 2 as b`),
        'create view broken as select 1 from nowhere',
      )
      const { sql } = scope
      const uncounted = `select count(*) as n from pragma_table_list where name glob 'good_*' and ncol = 0`
      expect(sql.exec(uncounted).one()['n']).toBeGreaterThan(0)
      expect(introspectSchema(sql).map(({ name, columns }) => [name, columns.length])).toEqual([
        ['broken', 0],
        ...good.map((name) => [name, 2]),
      ])
    }))

  it('should ask one query, however many tables there are', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create virtual table docs using fts5(a)',
        'create view shown as select 1',
      )
      for (let i = 0; i < 30; i++) {
        await create(
          scope,
          `create table t${i} (id integer primary key, a text references t0 check (a in ('x')))`,
          `create index t${i}_a on t${i} (a)`,
        )
      }
      const queries: string[] = []
      introspectSchema({
        exec(query, ...bindings) {
          queries.push(query)
          return scope.sql.exec(query, ...bindings)
        },
      })
      expect(queries).toHaveLength(1)
    }))

  it('should read an object without tables', () =>
    inDurableObject<never>(({ sql }) => {
      expect(introspectSchema(sql)).toEqual([])
    }))

  it('should say that the class is not SQLite-backed', () =>
    runInDurableObject(env.KV_OBJECT.get(env.KV_OBJECT.newUniqueId()), (_, { storage }) => {
      expect(() => introspectSchema(storage.sql)).toThrow(
        expect.objectContaining({ code: 'ERR_SQL_NOT_ENABLED' }),
      )
      expect(() => introspectSchema(storage.sql)).toThrow(DurableObjectSqliteError)
    }))
})

describe('db.introspection', () => {
  it('should have no schemas, as SQLite has none', () =>
    inDurableObject<never>(async ({ db }) => {
      expect(await db.introspection.getSchemas()).toEqual([])
    }))

  it('should give a column the keys that the introspector of Kysely gives it', () =>
    inDurableObject<never>(async ({ db, exec }) => {
      await exec('create table person (name text)')
      const [ours] = await db.introspection.getTables()
      const [kyselys] = await new SqliteIntrospector(db).getTables()
      expect(ours?.columns).toStrictEqual(kyselys?.columns)
    }))

  it('should show what is of the user and nothing else, beside KV, an alarm and broken views', () =>
    inDurableObject<never>(async (scope) => {
      await createMixture(scope)
      const tables = await scope.db.introspection.getTables()
      expect(
        tables.map(({ name, isView, columns }) => [
          name,
          isView,
          ...columns.map(({ name }) => name),
        ]),
      ).toEqual([
        ['_x', false, 'a'],
        ['acf_x', false, 'id', 'name'],
        ['box', false, 'id', 'min_x', 'max_x', 'label'],
        ['cf_kv', false, 'a'],
        ['docs', false, 'title', 'body'],
        ['good', true, 'name'],
        ['numbered', false, 'id'],
      ])
    }))

  it('should read views that SQLite has not counted the columns of', () =>
    inDurableObject<never>(async (scope) => {
      const good = Array.from({ length: 20 }, (_, i) => `good_${String(i).padStart(2, '0')}`)
      await create(
        scope,
        ...good.map((name) => `create view ${name} as select 1 as a`),
        'create view broken as select 1 from nowhere',
      )
      const tables = await scope.db.introspection.getTables()
      expect(tables.map(({ name }) => name)).toEqual(good)
    }))

  it('should describe the columns', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        `create table item (
          id integer primary key, name text not null default 'x', "key" int unique, label text as (name)
        )`,
        'create table no_alias (id text primary key, a int not null) without rowid',
      )
      expect(await scope.db.introspection.getTables()).toMatchInlineSnapshot(`
        [
          {
            "columns": [
              {
                "comment": undefined,
                "dataType": "INTEGER",
                "hasDefaultValue": false,
                "isAutoIncrementing": true,
                "isNullable": false,
                "name": "id",
              },
              {
                "comment": undefined,
                "dataType": "TEXT",
                "hasDefaultValue": true,
                "isAutoIncrementing": false,
                "isNullable": false,
                "name": "name",
              },
              {
                "comment": undefined,
                "dataType": "INT",
                "hasDefaultValue": false,
                "isAutoIncrementing": false,
                "isNullable": true,
                "name": "key",
              },
              {
                "comment": undefined,
                "dataType": "TEXT",
                "hasDefaultValue": false,
                "isAutoIncrementing": false,
                "isNullable": true,
                "name": "label",
              },
            ],
            "isForeign": false,
            "isView": false,
            "name": "item",
          },
          {
            "columns": [
              {
                "comment": undefined,
                "dataType": "TEXT",
                "hasDefaultValue": false,
                "isAutoIncrementing": false,
                "isNullable": false,
                "name": "id",
              },
              {
                "comment": undefined,
                "dataType": "INT",
                "hasDefaultValue": false,
                "isAutoIncrementing": false,
                "isNullable": false,
                "name": "a",
              },
            ],
            "isForeign": false,
            "isView": false,
            "name": "no_alias",
          },
        ]
      `)
    }))

  it('should leave out the tables of migrations, unless asked for them', () =>
    inDurableObject<never>(async (scope) => {
      await create(
        scope,
        'create table item (a)',
        'create table kysely_migration (name text)',
        'create table kysely_migration_lock (id text)',
      )
      const { introspection } = scope.db
      const all = await introspection.getTables({ withInternalKyselyTables: true })
      expect((await introspection.getTables()).map(({ name }) => name)).toEqual(['item'])
      expect(all.map(({ name }) => name)).toEqual([
        'item',
        'kysely_migration',
        'kysely_migration_lock',
      ])
    }))

  it('should see the changes of the transaction that it is in', () =>
    inDurableObject<never>(async ({ db }) => {
      await db.transaction().execute(async (trx) => {
        await raw`create view broken as select 1 from nowhere`.execute(trx)
        await trx.schema.createTable('inside').addColumn('a', 'integer').execute()
        expect((await trx.introspection.getTables()).map(({ name }) => name)).toEqual(['inside'])
      })
    }))
})
