import { CompiledQuery, type Kysely, sql, SqliteIntrospector } from 'kysely'
import { describe, expect, it } from 'vitest'
import { SyncExecutor } from '../../src/index.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'

interface Database {
  person: { id: number; name: string }
}

/** An object with tables of the platform beside its own. */
function withPlatformTables(
  body: (scope: Scope<Database>) => void | Promise<void>,
  dialect = {},
): Promise<void> {
  return inDurableObject<Database>(
    async (scope) => {
      await scope.inside(async ({ storage }) => {
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
      })
      await scope.exec(`
        create table person (id integer primary key, name text unique);
        create table acf_x (a);
        create index person_name on person (name)`)
      await body(scope)
    },
    { dialect },
  )
}

function raw(db: Kysely<Database>, text: string): Promise<unknown> {
  return db.executeQuery(CompiledQuery.raw(text)).then(({ rows }) => rows)
}

const indexes = [{ index: 'person_name' }, { index: 'sqlite_autoindex_person_1' }]

describe('a question about every table', () => {
  it.each([
    `select i.name as "index" from sqlite_master as t, pragma_index_list(t.name) as i order by 1`,
    `-- all\n SELECT i.name as "index" from "sqlite_schema" as t join pragma_index_list(t.name) as i order by 1;`,
    `with t as (select name from sqlite_master where type = 'table')
       select i.name as "index" from t, pragma_index_list(t.name) as i order by 1`,
    `with recursive t(name) as (select name from sqlite_master union select 'none' from t)
       select i.name as "index" from t, pragma_index_list(t.name) as i order by 1`,
  ])('should leave out those of the platform in %s', (text) =>
    withPlatformTables(async ({ db, exec }) => {
      await expect(exec(text)).rejects.toThrow('SQLITE_AUTH')
      expect(await raw(db, text)).toEqual(indexes)
    }),
  )

  // Not remote: a SyncExecutor is for the object itself.
  it.skipIf(isRemote)('should leave out those of the platform synchronously too', () =>
    withPlatformTables(({ db, storage }) => {
      const text = `select i.name as "index" from sqlite_master as t, pragma_index_list(t.name) as i order by 1`
      expect(new SyncExecutor(db, storage).execute(CompiledQuery.raw(text))).toEqual(indexes)
    }),
  )

  it('should leave out those of the platform for the introspector of Kysely', () =>
    withPlatformTables(async ({ db }) => {
      const tables = await new SqliteIntrospector(db).getTables()
      expect(tables.map(({ name, columns }) => [name, columns.length])).toEqual(
        expect.arrayContaining([
          ['acf_x', 1],
          ['person', 2],
        ]),
      )
    }))

  it('should keep what SQLite answers as it answers it', () =>
    withPlatformTables(async ({ db, exec }) => {
      const text = 'select name from sqlite_master order by name'
      expect(await raw(db, text)).toEqual(await exec(text))
    }))

  it('should report what ran, with its cost', async () => {
    const texts: string[] = []
    await withPlatformTables(
      async ({ db }) => {
        await raw(db, 'select 1 from sqlite_master as t, pragma_index_list(t.name)')
      },
      { onQuery: ({ query }: { query: CompiledQuery }) => texts.push(query.sql) },
    )
    expect(texts).toEqual([expect.stringContaining('select 1 from sqlite_master as t')])
  })
})

describe('what the platform refuses otherwise', () => {
  it.each([
    'select * from _cf_KV',
    "select * from pragma_table_info('_cf_KV')",
    `select * from main.sqlite_master as t, pragma_table_info(t.name)`,
    "attach database 'x' as y",
  ])('should stay refused: %s', (text) =>
    withPlatformTables(async ({ db }) => {
      await expect(raw(db, text)).rejects.toMatchObject({ code: 'SQLITE_AUTH' })
    }),
  )

  it('should run no statement twice that writes', () =>
    withPlatformTables(async ({ db }) => {
      const refused = `select * from sqlite_master as t, pragma_index_list(t.name)`
      await expect(
        raw(db, `with a as (select 1) insert into person (id) values (1); ${refused}`),
      ).rejects.toMatchObject({ code: 'SQLITE_AUTH' })
      await expect(raw(db, `select 1; ${refused}`)).rejects.toMatchObject({ code: 'SQLITE_AUTH' })
      expect(await sql`select count(*) as n from person`.execute(db)).toEqual({ rows: [{ n: 1 }] })
    }))
})
