import { Kysely, sql } from 'kysely'
import { type Migration, type MigrationResultSet, Migrator, NO_MIGRATIONS } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteDialect, withoutForeignKeys } from '../../src/index.js'
import { Transaction } from '../../src/transaction/transaction.js'
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

function migrator(
  db: Kysely<Database>,
  record = migrations,
  disableTransactions = false,
): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => record }, disableTransactions })
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

  // Not remote: the lock of a run without a transaction is kept by the object, for itself.
  describe.skipIf(isRemote)('with disableTransactions', () => {
    /** Migrations that say when they run, and take some time for it. */
    function recorded(names: readonly string[], log: string[]): Record<string, Migration> {
      return Object.fromEntries(
        names.map((name) => [
          name,
          {
            async up(db) {
              log.push(`${name} begins`)
              await sql`create table ${sql.table(name)} (id integer)`.execute(db)
              await scheduler.wait(5)
              log.push(`${name} ends`)
            },
          },
        ]),
      )
    }

    // https://github.com/kysely-org/kysely/issues/1894
    it('should apply each migration once when runs overlap', () =>
      inDurableObject<Database>(async ({ db, storage }) => {
        const other = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(storage) })
        const log: string[] = []
        const runs = await Promise.all([
          migrator(db, recorded(['0001', '0002'], log), true).migrateToLatest(),
          migrator(other, recorded(['0001', '0002', '0003'], log), true).migrateToLatest(),
        ])
        expect(runs.map(({ error }) => error)).toEqual([undefined, undefined])
        const names = ['0001', '0002', '0003']
        expect(log).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]))
        expect(runs.flatMap(({ results }) => results?.map((it) => it.migrationName))).toEqual(names)
      }))

    it('should let the next run begin when one fails', () =>
      inDurableObject<Database>(async ({ db }) => {
        const runs = await Promise.all([
          migrator(db, failing, true).migrateToLatest(),
          migrator(db, migrations, true).migrateToLatest(),
        ])
        expect(runs).toEqual([expect.objectContaining({ error: failure }), { results: [] }])
        expect(await applied(db)).toEqual(['0001_person', '0002_email'])
      }))

    it('should not wait for ever for a run that does not end', () =>
      inDurableObject<Database>(
        async ({ db }) => {
          const stuck = { '0001': { up: () => new Promise<void>(() => {}) } }
          void migrator(db, stuck, true).migrateToLatest()
          for (let attempt = 0; attempt < 2; attempt++) {
            expect(await migrator(db, migrations, true).migrateToLatest()).toMatchObject({
              error: {
                code: 'ERR_MIGRATION_LOCKED',
                message: expect.stringContaining('has not ended within 30 ms'),
              },
            })
          }
        },
        { dialect: { transactionTimeout: 30 } },
      ))

    it('should refuse at once a run in a transaction beside another', () =>
      inDurableObject<Database>(async ({ db }) => {
        const log: string[] = []
        const outside = migrator(db, recorded(['0001'], log), true).migrateToLatest()
        await scheduler.wait(2)
        expect(log).toEqual(['0001 begins'])
        // Kysely 0.28 does so in each run that has a transaction, 0.29 where the Migrator is given one.
        await db.transaction().execute(async (trx) => {
          const { adapter } = trx.getExecutor()
          const lock = { lockTable: '', lockRowId: '' }
          await expect(adapter.acquireMigrationLock(trx, lock)).rejects.toMatchObject({
            code: 'ERR_MIGRATION_LOCKED',
          })
          await adapter.releaseMigrationLock(trx, lock)
        })
        expect(log).toEqual(['0001 begins'])
        expect(await outside).toMatchObject({ results: [{ status: 'Success' }] })
      }))
  })

  // Not remote: a run from a Worker is ended by its session.
  describe.skipIf(isRemote)('whose migration is in a transaction for too long', () => {
    /** Begins to migrate, and ends the transaction as its timer does after 25 s. */
    async function expire(
      db: Kysely<Database>,
      storage: DurableObjectStorage,
      up: (db: Kysely<unknown>, wait: () => Promise<void>) => Promise<void>,
      disableTransactions: boolean,
    ): Promise<{ run: Promise<MigrationResultSet>; resume: () => void }> {
      let resume = (): void => {}
      const resumed = new Promise<void>((resolve) => {
        resume = resolve
      })
      let run: Promise<MigrationResultSet> | undefined
      await new Promise<void>((waits) => {
        const wait = (): Promise<void> => {
          waits()
          return resumed
        }
        const slow = { '0001_slow': { up: (db: Kysely<unknown>) => up(db, wait) } }
        run = migrator(db, slow, disableTransactions).migrateToLatest()
      })
      Transaction.openOn(storage.sql)?.expire()
      return { run: run!, resume }
    }

    it('should not keep later runs out', () =>
      inDurableObject<Database>(
        async ({ db, exec, storage }) => {
          const { run, resume } = await expire(
            db,
            storage,
            async (trx, wait) => {
              await wait()
              await sql`create table late (id integer)`.execute(trx)
            },
            false,
          )
          const next = await migrator(db).migrateToLatest()
          expect(next.results?.map(({ status }) => status)).toEqual(['Success', 'Success'])
          resume()
          expect(await run).toMatchObject({ error: { code: 'ERR_TRANSACTION_TIMEOUT' } })
          expect(await migrator(db).migrateToLatest()).toEqual({ results: [] })
          expect(await tables(exec)).not.toContain('late')
        },
        { dialect: { transactionTimeout: Infinity } },
      ))

    it('should let a run begin that waits', () =>
      inDurableObject<Database>(
        async ({ db, storage }) => {
          let next: Promise<MigrationResultSet> | undefined
          const { run, resume } = await expire(
            db,
            storage,
            async (connection, wait) => {
              next = migrator(db, migrations, true).migrateToLatest()
              // It has to be waiting for the lock before, since its queries wait for the transaction.
              await scheduler.wait(5)
              await connection.transaction().execute(wait)
            },
            true,
          )
          const { results } = await next!
          expect(results?.map(({ status }) => status)).toEqual(['Success', 'Success'])
          resume()
          expect(await run).toMatchObject({ error: { code: 'ERR_TRANSACTION_TIMEOUT' } })
        },
        { dialect: { transactionTimeout: 30 } },
      ))

    it('should write nothing afterwards, also without a transaction around the run', () =>
      inDurableObject<Database>(async ({ db, exec, storage }) => {
        const errors: unknown[] = []
        const { run, resume } = await expire(
          db,
          storage,
          async (connection, wait) => {
            const attempts = [
              () => connection.transaction().execute(wait),
              () => sql`create table late (id integer)`.execute(connection),
              () => connection.transaction().execute(async () => {}),
            ]
            for (const attempt of attempts) {
              await attempt().catch((error: unknown) => errors.push(error))
            }
          },
          true,
        )
        const next = await migrator(db, migrations, true).migrateToLatest()
        expect(next.results?.map(({ status }) => status)).toEqual(['Success', 'Success'])
        resume()
        const timedOut = expect.objectContaining({ code: 'ERR_TRANSACTION_TIMEOUT' })
        expect(await run).toMatchObject({ error: timedOut })
        expect(errors).toEqual([timedOut, timedOut, timedOut])
        expect(await migrator(db, migrations, true).migrateToLatest()).toEqual({ results: [] })
        expect(await tables(exec)).not.toContain('late')
      }))
  })

  // Not remote: a RemoteDatabase is made from ctx.storage.
  describe.skipIf(isRemote)('on a dialect made from ctx.storage.sql', () => {
    const from = (storage: DurableObjectStorage): SqlStorage => storage.sql

    it('should migrate up and down', () =>
      inDurableObject<Database>(
        async ({ db, exec }) => {
          expect((await migrator(db).migrateToLatest()).error).toBeUndefined()
          expect(await applied(db)).toEqual(['0001_person', '0002_email'])
          expect((await migrator(db).migrateTo(NO_MIGRATIONS)).error).toBeUndefined()
          expect(await tables(exec)).toEqual(['kysely_migration', 'kysely_migration_lock'])
        },
        { from },
      ))

    it('should keep what a failing migration did', () =>
      inDurableObject<Database>(
        async ({ db, exec }) => {
          expect(await migrator(db, failing).migrateToLatest()).toMatchObject({ error: failure })
          expect(await applied(db)).toEqual(['0001_person', '0002_email'])
          expect(await tables(exec)).toContain('half')
        },
        { from },
      ))

    it('should apply each migration once when runs overlap', () =>
      inDurableObject<Database>(
        async ({ db }) => {
          const runs = await Promise.all([1, 2, 3].map(() => migrator(db).migrateToLatest()))
          expect(runs.map(({ error, results }) => [error, results?.length])).toEqual([
            [undefined, 2],
            [undefined, 0],
            [undefined, 0],
          ])
        },
        { from },
      ))
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
