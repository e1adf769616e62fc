import { runInDurableObject } from 'cloudflare:test'
import { Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { migrateToLatest } from '../../src/migration/index.js'
import { newObject, type Scope } from '../harness.js'
import { type PersonDatabase, withPerson } from '../person.js'

/** Read past the dialect, at once. */
function names({ sql }: Scope<PersonDatabase>): unknown[] {
  return sql
    .exec('select name from person order by id')
    .toArray()
    .map(({ name }) => name)
}

const add = (db: Kysely<PersonDatabase>, name: string): Promise<unknown> =>
  db.insertInto('person').values({ name }).execute()

const migrations = {
  '0001': "insert into person (name) values ('migrated')",
  '0002': {
    async up(db: Kysely<PersonDatabase>) {
      await scheduler.wait(5)
      await add(db, 'migrated later')
    },
  },
}

describe('a transaction that waits for the platform to admit it', () => {
  it('should not hold up migrations in blockConcurrencyWhile(), as in a constructor', () =>
    withPerson(async (scope) => {
      const { ctx, db, storage } = scope
      const transaction = db.transaction().execute((trx) => add(trx, 'in a transaction'))
      const migrated = ctx.blockConcurrencyWhile(() => migrateToLatest(storage, migrations))
      await transaction
      expect(await migrated).toEqual(['0001', '0002'])
      expect(names(scope)).toEqual(['migrated', 'migrated later', 'in a transaction'])
    }))

  it('should not hold up migrations that are begun before it', () =>
    withPerson(async (scope) => {
      const { ctx, db, storage } = scope
      const migrated = ctx.blockConcurrencyWhile(() => migrateToLatest(storage, migrations))
      await db.transaction().execute((trx) => add(trx, 'in a transaction'))
      expect(await migrated).toEqual(['0001', '0002'])
      expect(names(scope)).toEqual(['migrated', 'migrated later', 'in a transaction'])
    }))

  it.each<[string, (scope: Scope<PersonDatabase>, body: () => Promise<void>) => Promise<void>]>([
    ['blockConcurrencyWhile()', ({ ctx }, body) => ctx.blockConcurrencyWhile(body)],
    ['storage.transaction()', ({ storage }, body) => storage.transaction(body)],
  ])('should not hold up a query after an await in %s', (_, closed) =>
    withPerson(async (scope) => {
      const { db } = scope
      const native = closed(scope, async () => {
        await add(db, 'first')
        await scheduler.wait(5)
        await add(db, 'second')
        await db.transaction().execute((trx) => add(trx, 'third'))
      })
      const transaction = db.transaction().execute((trx) => add(trx, 'in a transaction'))
      await Promise.all([native, transaction])
      expect(names(scope)).toEqual(['first', 'second', 'third', 'in a transaction'])
    }),
  )

  it('should leave the object usable whose constructor does that', async () => {
    const stub = newObject()
    await runInDurableObject(stub, async (_, ctx) => {
      const db = new Kysely<PersonDatabase>({
        dialect: new DurableObjectSqliteDialect(ctx.storage),
      })
      void db.transaction().execute((trx) =>
        trx
          .selectFrom('kysely_migration' as 'person')
          .selectAll()
          .execute(),
      )
      await ctx.blockConcurrencyWhile(() =>
        migrateToLatest(ctx.storage, { '0001': 'create table person (name text)' }),
      )
      await add(db, 'Ada')
      expect(await db.selectFrom('person').select('name').execute()).toEqual([{ name: 'Ada' }])
    })
  })

  it('should not have queries in it that were sent before it began', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const failure = new Error('in the transaction')
      const results = await Promise.allSettled([
        db.transaction().execute(async (trx) => {
          await add(trx, 'in a transaction')
          throw failure
        }),
        ...Array.from({ length: 30 }, async (_, i) => {
          for (let ticks = 0; ticks < i; ticks++) {
            await Promise.resolve()
          }
          await add(db, `${i}`)
        }),
      ])
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
      const sent = Array.from({ length: 30 }, (_, i) => `${i}`)
      expect(new Set(names(scope))).toEqual(new Set(sent))
    }))
})

describe('ERR_TRANSACTION_TIMEOUT', () => {
  it.each<[string, (scope: Scope<PersonDatabase>, body: () => Promise<void>) => Promise<void>]>([
    ['blockConcurrencyWhile()', ({ ctx }, body) => ctx.blockConcurrencyWhile(body)],
    ['storage.transaction()', ({ storage }, body) => storage.transaction(body)],
  ])('should reject a query on db in %s in the body of a transaction', (_, closed) =>
    withPerson(
      async (scope) => {
        const { db } = scope
        await db.transaction().execute(async (trx) => {
          await scheduler.wait(5)
          await closed(scope, () =>
            expect(add(db, 'Grace')).rejects.toMatchObject({ code: 'ERR_TRANSACTION_TIMEOUT' }),
          )
          await scheduler.wait(5)
          await expect(add(db, 'Eve')).rejects.toMatchObject({ code: 'ERR_TRANSACTION_TIMEOUT' })
          await add(trx, 'Ada')
        })
        expect(names(scope)).toEqual(['Ada'])
      },
      { dialect: { transactionTimeout: 50 } },
    ),
  )

  it('should reject a query that still waits when the blockConcurrencyWhile() around it has ended', () =>
    withPerson(
      async (scope) => {
        const { ctx, db } = scope
        await db.transaction().execute(async (trx) => {
          let query: Promise<unknown> = Promise.resolve()
          await ctx.blockConcurrencyWhile(async () => {
            query = add(db, 'Grace')
            query.catch(() => {})
            await scheduler.wait(5)
          })
          await expect(query).rejects.toMatchObject({ code: 'ERR_TRANSACTION_TIMEOUT' })
          await add(trx, 'Ada')
        })
        expect(names(scope)).toEqual(['Ada'])
      },
      { dialect: { transactionTimeout: 50 } },
    ))

  it('should come after the time of each that waits, though the transaction has a longer one', () =>
    withPerson(
      async (scope) => {
        const impatient = new Kysely<PersonDatabase>({
          dialect: new DurableObjectSqliteDialect(scope.storage, { transactionTimeout: 40 }),
        })
        await scope.db.transaction().execute(async (trx) => {
          await scheduler.wait(5)
          const patient = add(scope.db, 'Grace')
          await expect(add(impatient, 'Eve')).rejects.toMatchObject({
            code: 'ERR_TRANSACTION_TIMEOUT',
            message: expect.stringContaining('waited for 40 ms'),
          })
          await add(trx, 'Ada')
          patient.catch(() => {})
        })
        await scheduler.wait(1)
        expect(names(scope)).toEqual(['Ada', 'Grace'])
      },
      { dialect: { transactionTimeout: 60_000 } },
    ))

  it('should not reject a query of a blockConcurrencyWhile() that the transaction did not wait for', () =>
    withPerson(
      async (scope) => {
        const { ctx, db } = scope
        let native: Promise<void> = Promise.resolve()
        let enter = (): void => {}
        await db.transaction().execute(async (trx) => {
          await add(trx, 'Ada')
          const entered = new Promise<void>((resolve) => {
            enter = resolve
          })
          native = ctx.blockConcurrencyWhile(async () => {
            const query = add(db, 'Grace')
            for (let ticks = 0; ticks < 20; ticks++) {
              await Promise.resolve()
            }
            enter()
            await query
          })
          await entered
        })
        await native
        expect(names(scope)).toEqual(['Ada', 'Grace'])
      },
      { dialect: { transactionTimeout: 50 } },
    ))
})
