import { CompiledQuery, type Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import { batch } from '../../src/remote/index.js'
import { outside, type Scope } from '../harness.js'
import type { PersonDatabase } from '../person.js'

function withReadOnly(body: (scope: Scope<PersonDatabase>) => Promise<void>): Promise<void> {
  return outside<PersonDatabase>(
    async (scope) => {
      await scope.exec(`
        create table person (id integer primary key, name text unique);
        create virtual table docs using fts5(body);
        insert into person (name) values ('Ada'), ('Grace')`)
      await body(scope)
    },
    { remote: { access: 'read-only' } },
  )
}

/** All that there is in the object, settings included. */
function contents({ exec }: Scope<PersonDatabase>): Promise<unknown> {
  return Promise.all(
    [
      'select type, name, sql from sqlite_master order by name',
      'select * from person',
      'select * from docs',
      'pragma foreign_keys',
      'pragma defer_foreign_keys',
    ].map((query) => exec(query)),
  )
}

const writes = [
  "insert into person (name) values ('Eve')",
  "insert into person (name) values ('Eve') returning id",
  "insert into person (id, name) values (1, 'x') on conflict do update set name = 'x'",
  "replace into person (id, name) values (1, 'x')",
  "with n(a) as (values ('x')) insert into person (name) select a from n",
  "/* a comment */ update person set name = name || '!'",
  "update person set name = name || '!' returning name",
  'delete from person',
  'delete from person where id = 1 returning *',
  "insert into docs values ('text')",
  'create table pet (name text)',
  'create table copy as select * from person',
  'create index person_name on person (name)',
  'create view names as select name from person',
  'create trigger t after insert on person begin select 1; end',
  'alter table person add column email text',
  'drop table person',
  'drop view if exists nope; drop table person',
  "insert into person (name) values ('Eve'); select 1",
  'create table pet (name text); select 1 as one',
  'reindex',
  'analyze',
  'pragma optimize',
  'pragma foreign_keys = off',
  'pragma foreign_keys(0)',
  'explain pragma foreign_keys = 0',
  'pragma main.defer_foreign_keys = on',
]

const methods: [string, (db: Kysely<PersonDatabase>, query: CompiledQuery) => Promise<unknown>][] =
  [
    ['execute', (db, query) => db.executeQuery(query)],
    ['a transaction', (db, query) => db.transaction().execute((trx) => trx.executeQuery(query))],
    [
      'a transaction that goes on',
      (db, query) =>
        db.transaction().execute(async (trx) => {
          await trx.executeQuery(query).catch(() => {})
          await trx.selectFrom('person').selectAll().execute()
        }),
    ],
    [
      'a savepoint',
      async (db, query) => {
        const trx = await db.startTransaction().execute()
        try {
          const within = await trx.savepoint('a').execute()
          const result = await within.executeQuery(query)
          await trx.commit().execute()
          return result
        } catch (error) {
          await trx.rollback().execute()
          throw error
        }
      },
    ],
    ['batch', (db, query) => batch(db, [db.selectFrom('person').selectAll(), query])],
    [
      'a batch in a transaction',
      (db, query) => db.transaction().execute((trx) => batch(trx, [query])),
    ],
    ['stream', (db, query) => db.getExecutor().stream(query, 1).next()],
    [
      'a stream in a transaction',
      (db, query) => db.transaction().execute((trx) => trx.getExecutor().stream(query, 1).next()),
    ],
  ]

describe.each(methods)('a read only RemoteDatabase, through %s', (name, run) => {
  it.each(writes)('should refuse %s, and keep nothing of it', (sql) =>
    withReadOnly(async (scope) => {
      const { db } = scope
      const before = await contents(scope)
      const outcome = run(db, CompiledQuery.raw(sql))
      await expect(outcome).rejects.toMatchObject({
        name: 'DurableObjectSqliteError',
        code: 'ERR_READ_ONLY',
      })
      expect(await contents(scope)).toEqual(before)
      expect(await db.selectFrom('person').selectAll().execute()).toHaveLength(2)
    }),
  )

  it
    .skipIf(name === 'a transaction that goes on')
    .each([
      "select * from person where name <> 'a;b'",
      'select * from person;',
      'with n(a) as (values (1)) select a from n',
      'values (1)',
      'pragma table_info(person)',
      'pragma foreign_keys',
      'explain query plan delete from person',
      'delete from person where id = 99 returning *',
    ])('should run %s', (sql) =>
    withReadOnly(async (scope) => {
      const before = await contents(scope)
      await expect(run(scope.db, CompiledQuery.raw(sql))).resolves.toBeDefined()
      expect(await contents(scope)).toEqual(before)
    }),
  )
})

describe('a read only RemoteDatabase', () => {
  it('should stream a large table while others write to it', () =>
    withReadOnly(async ({ db, exec }) => {
      await exec(`with recursive i(n) as (select 1 union all select n + 1 from i where n < 100)
        insert into person (name) select 'name ' || n from i`)
      let count = 0
      for await (const _ of db.selectFrom('person').select('id').stream(5)) {
        if (++count === 20) {
          await exec("insert into person (name) values ('meanwhile')")
        }
      }
      expect(count).toBeGreaterThanOrEqual(102)
    }))
})
