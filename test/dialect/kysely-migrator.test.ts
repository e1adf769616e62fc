import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { withoutForeignKeys } from '../../src/index.js'
import { inDurableObject, isRemote, newObject, type Scope } from '../harness.js'

interface Database {
  person: { name: string; email: string | null }
}

const migrations: Record<string, Migration> = {
  '0001_person': {
    async up(db) {
      await db.schema.createTable('person').addColumn('name', 'text').execute()
      await db.insertInto('person').values({ name: 'Ada' }).execute()
    },
    async down(db) {
      await db.schema.dropTable('person').execute()
    },
  },
  '0002_email': {
    async up(db) {
      await db.schema.alterTable('person').addColumn('email', 'text').execute()
      await sql`update person set email = lower(name) || '@example.com'`.execute(db)
    },
    async down(db) {
      await db.schema.alterTable('person').dropColumn('email').execute()
    },
  },
}

const failure = new Error('failure')

const failing: Record<string, Migration> = {
  ...migrations,
  '0003_failing': {
    async up(db) {
      await db.schema.createTable('half').addColumn('id', 'integer').execute()
      await db.deleteFrom('person').execute()
      throw failure
    },
  },
}

function migrator(db: Kysely<Database>, record = migrations): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => record } })
}

async function tables(exec: Scope<Database>['exec']): Promise<unknown[]> {
  const rows = await exec(
    `select name from sqlite_master
     where type = 'table' and name not glob '_cf_*' and name not glob '__miniflare_*'
     order by name`,
  )
  return rows.map(({ name }) => name)
}

async function applied(db: Kysely<Database>): Promise<string[]> {
  const all = await migrator(db).getMigrations()
  return all.filter(({ executedAt }) => executedAt !== undefined).map(({ name }) => name)
}

describe(`Kysely's Migrator`, () => {
  it('should migrate up to the latest migration', () =>
    inDurableObject<Database>(async ({ db }) => {
      expect(await migrator(db).migrateToLatest()).toEqual({
        results: [
          { migrationName: '0001_person', direction: 'Up', status: 'Success' },
          { migrationName: '0002_email', direction: 'Up', status: 'Success' },
        ],
      })
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([
        { name: 'Ada', email: 'ada@example.com' },
      ])
      expect(await migrator(db).migrateToLatest()).toEqual({ results: [] })
    }))

  it('should migrate down, one by one and to the beginning', () =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await migrator(db).migrateToLatest()
      expect(await migrator(db).migrateDown()).toEqual({
        results: [{ migrationName: '0002_email', direction: 'Down', status: 'Success' }],
      })
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([{ name: 'Ada' }])
      expect(await applied(db)).toEqual(['0001_person'])
      expect(await migrator(db).migrateDown()).toEqual({
        results: [{ migrationName: '0001_person', direction: 'Down', status: 'Success' }],
      })
      expect(await tables(exec)).toEqual(['kysely_migration', 'kysely_migration_lock'])
      expect(await migrator(db).migrateUp()).toEqual({
        results: [{ migrationName: '0001_person', direction: 'Up', status: 'Success' }],
      })
    }))

  it('should undo the whole of a failing run', () =>
    inDurableObject<Database>(async ({ db, exec }) => {
      expect(await migrator(db, failing).migrateToLatest()).toEqual({
        error: failure,
        results: [
          { migrationName: '0001_person', direction: 'Up', status: 'Success' },
          { migrationName: '0002_email', direction: 'Up', status: 'Success' },
          { migrationName: '0003_failing', direction: 'Up', status: 'Error' },
        ],
      })
      expect(await tables(exec)).toEqual(['kysely_migration', 'kysely_migration_lock'])
      expect(await applied(db)).toEqual([])
    }))

  it('should keep what earlier runs did when a migration fails', () =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await migrator(db).migrateToLatest()
      expect(await migrator(db, failing).migrateToLatest()).toMatchObject({ error: failure })
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([
        { name: 'Ada', email: 'ada@example.com' },
      ])
      expect(await tables(exec)).toEqual(['kysely_migration', 'kysely_migration_lock', 'person'])
      expect(await applied(db)).toEqual(['0001_person', '0002_email'])
    }))

  // Not remote: KV and alarms are written inside the object.
  it.skipIf(isRemote)(
    'should undo the SQL, KV and alarm of a migration that fails on a query',
    () =>
      inDurableObject<Database>(async ({ db, exec, storage }) => {
        await storage.put('before', 1)
        const { error } = await migrator(db, {
          '0001_mixed': {
            async up(trx) {
              await trx.schema.createTable('person').addColumn('name', 'text').execute()
              await storage.put('during', 1)
              await storage.setAlarm(Date.now() + 3_600_000)
              await sql`insert into nowhere values (1)`.execute(trx)
            },
          },
        }).migrateToLatest()
        expect(error).toMatchObject({
          code: 'SQLITE_ERROR',
          message: 'no such table: nowhere: SQLITE_ERROR',
        })
        expect(await tables(exec)).toEqual(['kysely_migration', 'kysely_migration_lock'])
        expect([...(await storage.list())]).toEqual([['before', 1]])
        expect(await storage.getAlarm()).toBeNull()
      }),
  )

  it('should apply each migration once when runs overlap', () =>
    inDurableObject<Database>(async ({ db }) => {
      const runs = await Promise.all([1, 2, 3, 4].map(() => migrator(db).migrateToLatest()))
      expect(runs.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
      expect(
        runs.flatMap(({ results }) => results?.map(({ migrationName }) => migrationName)),
      ).toEqual(['0001_person', '0002_email'])
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([
        { name: 'Ada', email: 'ada@example.com' },
      ])
    }))

  it('should apply each migration once when requests overlap', async () => {
    const stub = newObject()
    const runs = await Promise.all(
      [1, 2, 3, 4].map(() =>
        inDurableObject<Database, string[] | undefined>(
          async ({ db }) => {
            const { error, results } = await migrator(db).migrateToLatest()
            expect(error).toBeUndefined()
            return results?.map(({ migrationName }) => migrationName)
          },
          { stub },
        ),
      ),
    )
    expect(runs.flat()).toEqual(['0001_person', '0002_email'])
  })

  it('should migrate an object that uses KV and an alarm', () =>
    inDurableObject<Database>(async ({ db, inside }) => {
      const alarm = Date.now() + 3_600_000
      await inside(({ storage }) => storage.put('key', 'value'))
      await inside(({ storage }) => storage.setAlarm(alarm))
      expect((await migrator(db).migrateToLatest()).error).toBeUndefined()
      expect((await migrator(db).migrateDown()).error).toBeUndefined()
      expect(await applied(db)).toEqual(['0001_person'])
      expect(await inside(({ storage }) => storage.get('key'))).toBe('value')
      expect(await inside(({ storage }) => storage.getAlarm())).toBe(alarm)
    }))

  // Not remote: blockConcurrencyWhile() holds back calls to the object.
  it.skipIf(isRemote)('should migrate in blockConcurrencyWhile(), as a constructor does', () =>
    inDurableObject<Database>(async ({ ctx, db }) => {
      await ctx.blockConcurrencyWhile(async () => {
        expect((await migrator(db).migrateToLatest()).error).toBeUndefined()
      })
      expect(await applied(db)).toEqual(['0001_person', '0002_email'])
    }),
  )

  describe('that rebuilds a table to which others refer', () => {
    const rebuild: Record<string, Migration> = {
      '0001_rebuild': {
        async up(trx) {
          await sql`pragma foreign_keys = off`.execute(trx)
          await sql`create table new_author (id integer primary key, name text)`.execute(trx)
          await sql`insert into new_author (id) select id from author`.execute(trx)
          await trx.schema.dropTable('author').execute()
          await trx.schema.alterTable('new_author').renameTo('author').execute()
          await sql`pragma foreign_keys = on`.execute(trx)
        },
      },
    }

    async function createAuthorWithBook(db: Kysely<Database>): Promise<void> {
      await sql`create table author (id integer primary key)`.execute(db)
      await sql`create table book (
        author_id integer references author (id) on delete cascade
      )`.execute(db)
      await sql`insert into author values (1)`.execute(db)
      await sql`insert into book values (1)`.execute(db)
    }

    // Not remote: withoutForeignKeys() runs inside the object.
    it.skipIf(isRemote)('should keep their rows in withoutForeignKeys()', () =>
      inDurableObject<Database>(async ({ db, storage }) => {
        await createAuthorWithBook(db)
        expect(
          await withoutForeignKeys(storage, () => migrator(db, rebuild).migrateToLatest()),
        ).toEqual({
          results: [{ migrationName: '0001_rebuild', direction: 'Up', status: 'Success' }],
        })
        expect(storage.sql.exec('select * from author').toArray()).toEqual([{ id: 1, name: null }])
        expect(storage.sql.exec('select * from book').toArray()).toEqual([{ author_id: 1 }])
        expect(storage.sql.exec('pragma foreign_keys').one()).toEqual({ foreign_keys: 1 })
      }),
    )

    it('should keep their rows, and fail, elsewhere', () =>
      inDurableObject<Database>(async ({ db, exec }) => {
        await createAuthorWithBook(db)
        expect(await migrator(db, rebuild).migrateToLatest()).toMatchObject({
          error: { code: 'ERR_PRAGMA_IGNORED' },
        })
        expect(await exec('select * from author')).toEqual([{ id: 1 }])
        expect(await exec('select * from book')).toEqual([{ author_id: 1 }])
      }))
  })
})
