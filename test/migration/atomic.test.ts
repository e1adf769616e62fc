import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteError } from '../../src/index.js'
import { type Migrations, migrateToLatest } from '../../src/migration/index.js'
import { inDurableObject, newObject } from '../harness.js'
import { codeOf, dump, tableNames } from './helpers.js'

const FIRST = `
  create table person (id integer primary key, name text not null);
  insert into person (name) values ('Ada'), ('Grace');
`
/** Five statements: schema, data, an index, a trigger with `;` in it, data. */
const STATEMENTS = [
  'alter table person add column email text',
  `update person set email = lower(name) || '@example.com'`,
  'create unique index person_email on person (email)',
  `create trigger person_gone after delete on person begin
     update person set name = old.name where 0; delete from person where 0;
   end`,
  `delete from person where name = 'Grace'`,
]

describe('a failing migration', () => {
  it.each(STATEMENTS.map((statement, index) => [index + 1, statement]))(
    'should leave the data as before it, failing at statement %i: %s',
    (position) =>
      inDurableObject(async ({ storage }) => {
        await migrateToLatest(storage, { '0001': FIRST })
        await storage.put('key', 'kept')
        const before = dump(storage)

        const failing = STATEMENTS.with(position - 1, 'insert into nope values (1)').join(';\n')
        await expect(migrateToLatest(storage, { '0001': FIRST, '0002': failing })).rejects.toThrow(
          'Migration 0002 (up) failed and was undone: no such table: nope: SQLITE_ERROR ' +
            `in statement ${position} of 5: insert into nope values (1)`,
        )
        expect(dump(storage)).toEqual(before)
        expect(await storage.get('key')).toBe('kept')

        const mended = { '0001': FIRST, '0002': STATEMENTS.join(';\n') }
        expect(await migrateToLatest(storage, mended)).toEqual(['0002'])
        expect(storage.sql.exec('select * from person').toArray()).toEqual([
          { id: 1, name: 'Ada', email: 'ada@example.com' },
        ])
      }),
  )

  it('should keep the migrations before it, and go on from there once it is mended', () =>
    inDurableObject(async ({ storage }) => {
      const given = {
        '0001': FIRST,
        '0002': 'create table b (x); select nope',
        '0003': 'create table c (x)',
      }
      expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_MIGRATION_FAILED')
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person'])
      expect(await migrateToLatest(storage, { ...given, '0002': 'create table b (x)' })).toEqual([
        '0002',
        '0003',
      ])
    }))

  it('should leave not even a journal if it is the first', () =>
    inDurableObject(async ({ storage }) => {
      const before = dump(storage)
      expect(await codeOf(migrateToLatest(storage, { '0001': 'select nope' }))).toBe(
        'ERR_MIGRATION_FAILED',
      )
      expect(dump(storage)).toEqual(before)
    }))

  it('should undo all that a function did before it threw, SQL, KV and alarm', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, { '0001': FIRST })
      await storage.put('key', 'before')
      const before = dump(storage)
      const failure = new Error('in the middle')
      const failing: Migrations = {
        '0001': FIRST,
        '0002': {
          async up(db, sql) {
            await db.schema.alterTable('person').addColumn('email', 'text').execute()
            await storage.put('key', 'after')
            await storage.setAlarm(Date.now() + 1_000_000)
            sql.exec('delete from person')
            await Promise.resolve()
            throw failure
          },
        },
      }
      await expect(migrateToLatest(storage, failing)).rejects.toMatchObject({
        code: 'ERR_MIGRATION_FAILED',
        message: 'Migration 0002 (up) failed and was undone: in the middle',
        cause: failure,
      })
      expect(dump(storage)).toEqual(before)
      expect(await storage.get('key')).toBe('before')
      expect(await storage.getAlarm()).toBe(null)
    }))

  it('should reject with the error of SQLite as its cause', () =>
    inDurableObject(async ({ storage }) => {
      const failing = { '0001': FIRST, '0002': `insert into person (id, name) values (1, 'Eve')` }
      const error: unknown = await migrateToLatest(storage, failing).catch(
        (error: unknown) => error,
      )
      expect(error).toBeInstanceOf(DurableObjectSqliteError)
      expect(error).toMatchObject({
        code: 'ERR_MIGRATION_FAILED',
        cause: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY', cause: expect.any(Error) },
      })
    }))

  it('should be refused, and undone, when it controls the transaction by SQL text', () =>
    inDurableObject(async ({ storage }) => {
      const failing = { '0001': 'create table a (x); commit; create table b (x)' }
      await expect(migrateToLatest(storage, failing)).rejects.toMatchObject({
        cause: { code: 'ERR_TRANSACTION_STATEMENT' },
      })
      expect(tableNames(storage)).toEqual([])
    }))

  it.each([
    ['a deferred foreign key', 'references person deferrable initially deferred', ''],
    ['pragma defer_foreign_keys', 'references person', 'pragma defer_foreign_keys = on;'],
  ])('should be reported where %s would fail in the commit', (_, references, pragma) =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, { '0001': FIRST })
      const before = dump(storage)
      const failing = `create table pet (owner integer ${references}); ${pragma}
        insert into pet values (7), (8), (1)`
      await expect(migrateToLatest(storage, { '0001': FIRST, '0002': failing })).rejects.toThrow(
        'Migration 0002 (up) failed and was undone: Rows refer to rows that are not there: ' +
          '2 of pet in person.',
      )
      expect(dump(storage)).toEqual(before)
    }),
  )
})

describe('a run that does not come to its end', () => {
  const GIVEN: Migrations = { '0001': FIRST, '0002': STATEMENTS.join(';') }

  it('should go on after an eviction between two migrations', async () => {
    const stub = newObject()
    await inDurableObject(({ storage }) => migrateToLatest(storage, { '0001': FIRST }), { stub })
    await evictDurableObject(stub)
    const names = await inDurableObject(({ storage }) => migrateToLatest(storage, GIVEN), { stub })
    expect(names).toEqual(['0002'])
  })

  it('should keep what is committed when the object is reset between two migrations', async () => {
    const stub = newObject()
    await expect(
      inDurableObject(
        ({ ctx, storage }) =>
          migrateToLatest(storage, GIVEN, { onMigration: () => ctx.abort('reset') }),
        { stub },
      ),
    ).rejects.toThrow('reset')
    await inDurableObject(
      async ({ storage }) => {
        expect(storage.sql.exec('select * from person').toArray()).toEqual([
          { id: 1, name: 'Ada' },
          { id: 2, name: 'Grace' },
        ])
        expect(await migrateToLatest(storage, GIVEN)).toEqual(['0002'])
      },
      { stub: env.OBJECT.get(stub.id) },
    )
  })

  it('should leave the data as before when the object is reset in the middle of a function', async () => {
    const stub = newObject()
    const before = await inDurableObject(
      async ({ storage }) => {
        await migrateToLatest(storage, { '0001': FIRST })
        return dump(storage)
      },
      { stub },
    )
    await expect(
      inDurableObject(
        ({ ctx, storage }) =>
          migrateToLatest(storage, {
            '0001': FIRST,
            '0002': {
              async up(db) {
                await db.deleteFrom('person').execute()
                await storage.put('key', 1)
                ctx.abort('reset')
              },
            },
          }),
        { stub },
      ),
    ).rejects.toThrow('reset')
    await inDurableObject(
      async ({ storage }) => {
        expect(dump(storage)).toEqual(before)
        expect(await storage.get('key')).toBe(undefined)
        expect(await migrateToLatest(storage, GIVEN)).toEqual(['0002'])
      },
      { stub: env.OBJECT.get(stub.id) },
    )
  })
})

describe('concurrent calls', () => {
  const SLOW: Migrations = {
    '0001': {
      async up(db) {
        await db.schema.createTable('counter').addColumn('n', 'integer').execute()
        await new Promise((resolve) => setTimeout(resolve, 20))
        await db.insertInto('counter').values({ n: 1 }).execute()
      },
    },
    '0002': 'insert into counter values (2)',
  }

  it('should apply each migration once, in one event', () =>
    inDurableObject(async ({ storage }) => {
      const runs = await Promise.all([1, 2, 3].map(() => migrateToLatest(storage, SLOW)))
      expect(runs).toEqual([['0001', '0002'], [], []])
      expect(storage.sql.exec('select n from counter').toArray()).toEqual([{ n: 1 }, { n: 2 }])
    }))

  it('should apply each migration once, in several events', async () => {
    const stub = newObject()
    const runs = await Promise.all(
      [1, 2, 3].map(() =>
        inDurableObject(({ storage }) => migrateToLatest(storage, SLOW), { stub }),
      ),
    )
    expect(runs.toSorted((a, b) => b.length - a.length)).toEqual([['0001', '0002'], [], []])
    await inDurableObject(
      ({ storage }) =>
        expect(storage.sql.exec('select n from counter').toArray()).toEqual([{ n: 1 }, { n: 2 }]),
      { stub },
    )
  })

  it('should run one after the other, also where one starts in the middle of another', () =>
    inDurableObject(async ({ storage, sql }) => {
      const migrations: Migrations = Object.fromEntries(
        Array.from({ length: 9 }, (_, index) => [
          `000${index + 1}`,
          { foreignKeys: 'off', up: `create table t${index + 1} (x)` },
        ]),
      )
      const others: Promise<string[]>[] = []
      const names = await migrateToLatest(storage, migrations, {
        onMigration({ name }) {
          others.push(migrateToLatest(storage, migrations))
          // Opens the implicit transaction, for whose end foreign keys have to wait.
          sql.exec(`insert into t${Number(name)} values (1)`)
        },
      })
      expect(names).toEqual(Object.keys(migrations))
      expect(await Promise.all(others)).toEqual(others.map(() => []))
      expect(sql.exec('pragma foreign_keys').one()).toEqual({ foreign_keys: 1 })
    }))

  it('should not let one that waits report what the other one then undid', () =>
    inDurableObject(async ({ storage }) => {
      const failing: Migrations = { ...SLOW, '0002': 'select nope' }
      const results = await Promise.allSettled([
        migrateToLatest(storage, failing),
        migrateToLatest(storage, failing),
      ])
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(storage.sql.exec('select n from counter').toArray()).toEqual([{ n: 1 }])
    }))

  it.each<'off' | undefined>([undefined, 'off'])(
    'should wait for an open transaction of Kysely (foreign keys: %s)',
    (foreignKeys) =>
      inDurableObject(async ({ db, storage }) => {
        const transaction = db.transaction().execute(async (trx) => {
          await trx.schema.createTable('t').addColumn('x', 'integer').execute()
          await new Promise((resolve) => setTimeout(resolve, 20))
        })
        const up = 'insert into t values (1)'
        const migration = migrateToLatest(storage, {
          '0001': foreignKeys === undefined ? up : { up, foreignKeys },
        })
        await transaction
        expect(await migration).toEqual(['0001'])
      }),
  )
})
