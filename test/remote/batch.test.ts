import {
  CamelCasePlugin,
  CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { describe, expect, it } from 'vitest'
import { batch } from '../../src/remote/index.js'
import { insideObject, type Options, outside, type Scope } from '../harness.js'
import type { PersonDatabase } from '../person.js'

const databases: [string, typeof outside][] = [
  ['a local db', insideObject],
  ['a remote db', outside],
]

describe.each(databases)('batch on %s', (_, open) => {
  function withPerson(
    body: (scope: Scope<PersonDatabase>) => Promise<void>,
    options?: Options,
  ): Promise<void> {
    return open<PersonDatabase>(async (scope) => {
      await scope.exec('create table person (id integer primary key, name text unique)')
      await body(scope)
    }, options)
  }

  const add = (db: Kysely<PersonDatabase>, name: string) => db.insertInto('person').values({ name })

  async function names({ exec }: Scope<PersonDatabase>): Promise<unknown[]> {
    return (await exec('select name from person order by id')).map(({ name }) => name)
  }

  it('should return what each query returns, in order', () =>
    withPerson(async ({ db }) => {
      const [ada, grace, people, updated, deleted, created, raw, none] = await batch(db, [
        add(db, 'Ada'),
        add(db, 'Grace').returningAll(),
        db.selectFrom('person').select(['id', 'name']).orderBy('id'),
        db.updateTable('person').set({ name: 'Eve' }).where('id', '=', 1),
        db.deleteFrom('person').where('id', '=', 2),
        db.schema.createTable('pet').addColumn('name', 'text'),
        CompiledQuery.raw('select 1 as one'),
        db.selectFrom('person').selectAll().where('id', '=', 99),
      ])
      expect(ada).toEqual({ insertId: 1n, numInsertedOrUpdatedRows: 1n })
      expect(ada.insertId).toBe(1n)
      expect(grace).toEqual([{ id: 2, name: 'Grace' }])
      expect(people).toEqual([
        { id: 1, name: 'Ada' },
        { id: 2, name: 'Grace' },
      ])
      expect(people[0]?.name).toBe('Ada')
      expect(updated.numUpdatedRows).toBe(1n)
      expect(deleted.numDeletedRows).toBe(1n)
      expect(created).toEqual([])
      expect(raw).toEqual([{ one: 1 }])
      expect(none).toEqual([])
    }))

  it('should undo everything when a query fails, and tell which', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const sent = batch(db, [add(db, 'Ada'), add(db, 'Grace'), add(db, 'Ada'), add(db, 'Eve')])
      await expect(sent).rejects.toMatchObject({
        name: 'DurableObjectSqliteError',
        code: 'SQLITE_CONSTRAINT_UNIQUE',
        index: 2,
        sql: 'insert into `person` (`name`) values (?)',
      })
      expect(await names(scope)).toEqual([])
    }))

  it('should tell which query has a value that is refused, before anything is written', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const date = new Date() as unknown as string
      await expect(batch(db, [add(db, 'Ada'), add(db, date)])).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED_PARAMETER',
        index: 1,
        message: expect.stringContaining('for the column person.name'),
      })
      expect(await names(scope)).toEqual([])
    }))

  it('should be a part of the transaction that it is in, and be undone alone', () =>
    withPerson(async (scope) => {
      const { db } = scope
      await db.transaction().execute(async (trx) => {
        await add(trx, 'Ada').execute()
        await expect(batch(trx, [add(trx, 'Grace'), add(trx, 'Ada')])).rejects.toMatchObject({
          code: 'SQLITE_CONSTRAINT_UNIQUE',
          index: 1,
        })
        const [eve] = await batch(trx, [add(trx, 'Eve')])
        expect(eve.numInsertedOrUpdatedRows).toBe(1n)
      })
      expect(await names(scope)).toEqual(['Ada', 'Eve'])
      const failure = new Error('in the body')
      const undone = db.transaction().execute(async (trx) => {
        await batch(trx, [add(trx, 'Bob')])
        throw failure
      })
      await expect(undone).rejects.toBe(failure)
      expect(await names(scope)).toEqual(['Ada', 'Eve'])
    }))

  it('should keep the savepoints of the transaction that it is in', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.startTransaction().execute()
      const within = await trx.savepoint('a').execute()
      await batch(within, [add(within, 'Ada')])
      await within.rollbackToSavepoint('a').execute()
      await batch(within, [add(within, 'Eve')])
      await within.commit().execute()
      expect(await names(scope)).toEqual(['Eve'])
    }))

  it('should wait for the open transaction', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const trx = await db.startTransaction().execute()
      await add(trx, 'Ada').execute()
      const sent = batch(db, [add(db, 'Eve')])
      await add(trx, 'Grace').execute()
      await trx.commit().execute()
      await sent
      expect(await names(scope)).toEqual(['Ada', 'Grace', 'Eve'])
    }))

  it('should let nothing come between its queries', () =>
    withPerson(async (scope) => {
      const { db } = scope
      await Promise.all([
        batch(db, [add(db, 'Ada'), add(db, 'Bob'), add(db, 'Eve')]),
        add(db, 'Grace').execute(),
        batch(db, [add(db, 'Hedy'), add(db, 'Ida')]),
      ])
      const order = (await names(scope)).join(' ')
      expect(order).toContain('Ada Bob Eve')
      expect(order).toContain('Hedy Ida')
    }))

  it('should show each query to the log, with the error if one fails', () => {
    const log: [string, string][] = []
    return withPerson(
      async ({ db }) => {
        await expect(batch(db, [add(db, 'Ada'), add(db, 'Ada')])).rejects.toMatchObject({
          index: 1,
        })
        const sql = 'insert into `person` (`name`) values (?)'
        expect(log).toEqual([
          [sql, 'SQLITE_CONSTRAINT_UNIQUE'],
          [sql, 'SQLITE_CONSTRAINT_UNIQUE'],
        ])
      },
      {
        kysely: {
          log: (event) => {
            if (event.level === 'error') {
              log.push([event.query.sql, (event.error as { code: string }).code])
            }
          },
        },
      },
    )
  })

  it('should do nothing for no queries', () =>
    withPerson(async ({ db }) => {
      expect(await batch(db, [])).toEqual([])
    }))

  it('should apply the plugins of db, and show each query to its log', () => {
    const log: string[] = []
    return withPerson(
      async (scope) => {
        const db = scope.db as unknown as Kysely<{ petShop: { shopName: string } }>
        await batch(db, [db.schema.createTable('petShop').addColumn('shopName', 'text')])
        const [, shops] = await batch(db, [
          db.insertInto('petShop').values({ shopName: 'Ada' }),
          db.selectFrom('petShop').selectAll(),
        ])
        expect(shops).toEqual([{ shopName: 'Ada' }])
        expect(log.filter((sql) => sql !== 'begin' && sql !== 'commit')).toEqual([
          'create table `pet_shop` (`shop_name` text)',
          'insert into `pet_shop` (`shop_name`) values (?)',
          'select * from `pet_shop`',
        ])
      },
      {
        kysely: {
          plugins: [new CamelCasePlugin()],
          log: ({ query }) => void log.push(query.sql),
        },
      },
    )
  })
})

describe('batch', () => {
  it('should need the storage, for a transaction', () =>
    insideObject<PersonDatabase>(
      async ({ db, exec }) => {
        await exec('create table person (id integer primary key, name text unique)')
        const add = db.insertInto('person').values({ name: 'Ada' })
        await expect(batch(db, [add])).rejects.toMatchObject({
          code: 'ERR_TRANSACTION_UNSUPPORTED',
        })
        expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
      },
      { from: ({ sql }) => sql },
    ))

  it('should refuse a Kysely of another dialect', async () => {
    const db = new Kysely<PersonDatabase>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (other) => new SqliteIntrospector(other),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    })
    await expect(batch(db, [db.selectFrom('person').selectAll()])).rejects.toMatchObject({
      code: 'ERR_INVALID_DATABASE',
    })
  })
})
