import { Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { inDurableObject, insideObject } from '../harness.js'

interface Database {
  person: { name: string }
}

describe('DurableObjectSqliteDialect', () => {
  it('should return itself as its clone', () =>
    insideObject(({ storage }) => {
      const dialect = new DurableObjectSqliteDialect(storage)
      expect(dialect.clone()).toBe(dialect)
    }))

  it('should work for several Kysely instances, one of which is destroyed', () =>
    insideObject(async ({ storage }) => {
      const dialect = new DurableObjectSqliteDialect(storage)
      const first = new Kysely<Database>({ dialect })
      const second = new Kysely<Database>({ dialect })
      await first.schema.createTable('person').addColumn('name', 'text').execute()
      await first.destroy()
      await second.insertInto('person').values({ name: 'Ada' }).execute()
      expect(await second.selectFrom('person').selectAll().execute()).toEqual([{ name: 'Ada' }])
      await expect(first.selectFrom('person').selectAll().execute()).rejects.toThrow(
        'driver has already been destroyed',
      )
    }))

  it('should do everything but transactions when it is made from ctx.storage.sql', () =>
    insideObject<Database>(
      async ({ db }) => {
        await db.schema.createTable('person').addColumn('name', 'text').execute()
        await db.insertInto('person').values({ name: 'Ada' }).execute()
        expect(await db.selectFrom('person').selectAll().execute()).toEqual([{ name: 'Ada' }])
        expect(await db.introspection.getTables()).toHaveLength(1)
      },
      { from: (storage) => storage.sql },
    ))

  it.each([[undefined], [null], [{}], ['storage'], [{ storage: {} }]])(
    'should refuse %j instead of the storage',
    (storage) => {
      expect(
        () => new DurableObjectSqliteDialect(storage as unknown as DurableObjectStorage),
      ).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_STORAGE',
          message:
            'Pass the storage of the Durable Object: new DurableObjectSqliteDialect(ctx.storage).',
        }),
      )
    },
  )

  it.each([
    [Number.NaN, 'NaN'],
    [0, '0'],
    [-1, '-1'],
    ['1000', 'of type string'],
    [null, 'of type object'],
  ])('should refuse %j as transactionTimeout', (transactionTimeout, is) =>
    insideObject(({ storage }) => {
      expect(
        () =>
          new DurableObjectSqliteDialect(storage, {
            transactionTimeout: transactionTimeout as number,
          }),
      ).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_OPTION',
          message: `transactionTimeout is ${is}. Pass a number of milliseconds above 0, or leave it out for 10,000.`,
        }),
      )
    }),
  )

  it('should take no limit as transactionTimeout', () =>
    inDurableObject<Database>(
      async ({ db }) => {
        await db.schema.createTable('person').addColumn('name', 'text').execute()
        const [, people] = await Promise.all([
          db.transaction().execute(async (trx) => {
            await scheduler.wait(5)
            await trx.insertInto('person').values({ name: 'Ada' }).execute()
          }),
          scheduler.wait(1).then(() => db.selectFrom('person').selectAll().execute()),
        ])
        expect(people).toEqual([{ name: 'Ada' }])
      },
      { dialect: { transactionTimeout: Infinity } },
    ))

  it('should stay usable after deleteAll()', () =>
    inDurableObject<Database>(async ({ db, inside }) => {
      const create = db.schema.createTable('person').addColumn('name', 'text')
      await create.execute()
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      await inside(({ storage }) => storage.deleteAll())
      await create.execute()
      await db
        .transaction()
        .execute((trx) => trx.insertInto('person').values({ name: 'Eve' }).execute())
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([{ name: 'Eve' }])
    }))

  it('should compile to the SQL of its docstring', () =>
    inDurableObject<Database>(({ db }) => {
      const query = db.insertInto('person').values({ name: 'Ada' }).returning('name')
      expect(query.compile().sql).toBe('insert into `person` (`name`) values (?) returning `name`')
      expect(sql`select ${5n}`.compile(db).sql).toBe('select +cast(? as integer)')
    }))
})
