import { CompiledQuery, Kysely } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { TransactionGate } from '../../src/transaction/transaction-gate.js'
import { isRemote, newObject, type Scope } from '../harness.js'
import { type PersonDatabase, withPerson } from '../person.js'

async function names({ db }: Pick<Scope<PersonDatabase>, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('person').select('name').orderBy('id').execute()
  return rows.map(({ name }) => name)
}

describe('a query on db while a transaction is open', () => {
  it('should wait for its end and see all of it', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const trx = await db.startTransaction().execute()
      await trx.insertInto('person').values({ name: 'Ada' }).execute()
      const outside = names(scope)
      await scheduler.wait(5)
      await trx.insertInto('person').values({ name: 'Grace' }).execute()
      await trx.commit().execute()
      expect(await outside).toEqual(['Ada', 'Grace'])
    }))

  it('should see nothing of it after a rollback', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.startTransaction().execute()
      await trx.insertInto('person').values({ name: 'Ada' }).execute()
      const outside = names(scope)
      await trx.rollback().execute()
      expect(await outside).toEqual([])
    }))

  it('should keep its order among queries and transactions', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const trx = await db.startTransaction().execute()
      const add = (name: string): Promise<unknown> =>
        db.insertInto('person').values({ name }).execute()
      const all = [
        add('1'),
        db.transaction().execute(async (inner) => {
          await inner.insertInto('person').values({ name: '2' }).execute()
          await scheduler.wait(1)
          await inner.insertInto('person').values({ name: '3' }).execute()
        }),
        add('4'),
        add('5'),
        db
          .transaction()
          .execute((inner) => inner.insertInto('person').values({ name: '6' }).execute()),
        add('7'),
      ]
      await trx.insertInto('person').values({ name: '0' }).execute()
      await trx.commit().execute()
      await Promise.all(all)
      expect(await names(scope)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
    }))

  it('should wait with two transactions that were started together', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const transaction = (name: string, fails: boolean): Promise<string> =>
        db.transaction().execute(async (trx) => {
          await trx
            .insertInto('person')
            .values({ name: `${name} 1` })
            .execute()
          await scheduler.wait(1)
          await trx
            .insertInto('person')
            .values({ name: `${name} 2` })
            .execute()
          if (fails) {
            throw new Error(`${name} failed`)
          }
          return name
        })
      const settled = await Promise.allSettled([
        transaction('first', false),
        transaction('second', true),
        names(scope),
        transaction('third', false),
      ])
      expect(settled).toMatchObject([
        { status: 'fulfilled', value: 'first' },
        { status: 'rejected', reason: { message: 'second failed' } },
        { status: 'fulfilled' },
        { status: 'fulfilled', value: 'third' },
      ])
      expect(await names(scope)).toEqual(['first 1', 'first 2', 'third 1', 'third 2'])
    }))

  // Not remote: test/remote/transactions.test.ts has that of several Workers.
  it.skipIf(isRemote)('should wait although it was made with another Kysely instance', () =>
    withPerson(async (scope) => {
      const other = new Kysely<PersonDatabase>({
        dialect: new DurableObjectSqliteDialect(scope.storage.sql),
      })
      const trx = await scope.db.startTransaction().execute()
      await trx.insertInto('person').values({ name: 'Ada' }).execute()
      const outside = names({ db: other })
      await trx.rollback().execute()
      expect(await outside).toEqual([])
    }),
  )

  it('should not run when it is aborted while it waits', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const trx = await db.startTransaction().execute()
      const controller = new AbortController()
      const query = CompiledQuery.raw("insert into person (name) values ('aborted')")
      // Kysely 0.28 has no signals, so this calls the connection itself.
      const outside = db
        .getExecutor()
        .provideConnection((it) => it.executeQuery(query, { signal: controller.signal }))
        .catch((error: unknown) => error)
      const reason = new Error('aborted by the test')
      controller.abort(reason)
      await trx.commit().execute()
      expect(await outside).toBe(reason)
      expect(await names(scope)).toEqual([])
    }))
})

describe('very many that wait', () => {
  // Not remote: it is the gate itself.
  it.skipIf(isRemote)(
    'should be let in in a time that grows with their number, and not with its square',
    () =>
      withPerson(async ({ storage }) => {
        const gate = TransactionGate.of(storage.sql)
        const owner = {}
        const MANY = 300_000
        expect(gate.claim(owner)).toBe(true)
        const order: number[] = []
        const all = Array.from({ length: MANY }, (_, i) =>
          gate.wait(60_000).then(() => order.push(i)),
        )
        await scheduler.wait(1)
        gate.release(owner)
        await Promise.all(all)
        expect(order.length).toBe(MANY)
        expect(order.every((number, index) => number === index)).toBe(true)
      }),
  )
})

describe('a request that arrives while a transaction is open', () => {
  it('should see nothing of it and run after it', async () => {
    const stub = newObject()
    const order: string[] = []
    const first = withPerson(
      ({ db }) =>
        db.transaction().execute(async (trx) => {
          order.push('begin')
          await trx.insertInto('person').values({ name: 'Ada' }).execute()
          await scheduler.wait(20)
          await trx.insertInto('person').values({ name: 'Grace' }).execute()
          order.push('end')
        }),
      { stub },
    )
    await vi.waitUntil(() => order.includes('begin'))
    const second = withPerson(
      async (scope) => {
        order.push('second')
        return names(scope)
      },
      { stub },
    )
    await first
    expect(await second).toEqual(['Ada', 'Grace'])
    expect(order).toEqual(['begin', 'end', 'second'])
  })
})

describe('ERR_TRANSACTION_TIMEOUT', () => {
  const code = 'ERR_TRANSACTION_TIMEOUT'

  it('should reject a query on db in the body, and let the object live', () =>
    withPerson(
      async (scope) => {
        const { db } = scope
        const transaction = db.transaction().execute(async (trx) => {
          await trx.insertInto('person').values({ name: 'Ada' }).execute()
          await db.insertInto('person').values({ name: 'Grace' }).execute()
        })
        await expect(transaction).rejects.toMatchObject({
          code,
          message:
            'A query waited for 30 ms for the open transaction to end. Inside a transaction use `trx`: a query on `db` was probably sent from there. If the transaction really takes that long, set transactionTimeout.',
        })
        expect(await names(scope)).toEqual([])
        await db.insertInto('person').values({ name: 'Eve' }).execute()
        expect(await names(scope)).toEqual(['Eve'])
      },
      { dialect: { transactionTimeout: 30 } },
    ))

  it('should reject a transaction in the body, and let the body go on', () =>
    withPerson(
      async (scope) => {
        const { db } = scope
        await db.transaction().execute(async (trx) => {
          const nested = db.transaction().execute(async () => {})
          await expect(nested).rejects.toMatchObject({
            code,
            message: expect.stringContaining('A transaction waited for 30 ms'),
          })
          await trx.insertInto('person').values({ name: 'Ada' }).execute()
        })
        expect(await names(scope)).toEqual(['Ada'])
      },
      { dialect: { transactionTimeout: 30 } },
    ))

  it('should not reject a query that waits for less than the timeout', () =>
    withPerson(
      async (scope) => {
        const trx = await scope.db.startTransaction().execute()
        await scheduler.wait(60)
        const outside = names(scope)
        await scheduler.wait(60)
        await trx.commit().execute()
        expect(await outside).toEqual([])
      },
      { dialect: { transactionTimeout: 5000 } },
    ))

  // Not remote: a remote one ends sooner: test/remote/faults.test.ts.
  it.skipIf(isRemote)(
    'should end a transaction that is left open before the platform resets the object',
    () =>
      withPerson(
        async (scope) => {
          const { db, storage } = scope
          const trx = await db.startTransaction().execute()
          await trx.insertInto('person').values({ name: 'Ada' }).execute()
          await storage.put('key', 'value')
          await trx.savepoint('open').execute()
          await trx.insertInto('person').values({ name: 'Grace' }).execute()
          // Waits until the transaction has been rolled back, after 25 s.
          expect(await names(scope)).toEqual([])
          expect(await storage.get('key')).toBeUndefined()
          await expect(
            trx.insertInto('person').values({ name: 'Eve' }).execute(),
          ).rejects.toMatchObject({
            code,
            message: expect.stringContaining('The transaction was open for longer than 25 s'),
          })
          await expect(trx.commit().execute()).rejects.toMatchObject({ code })
          await expect(
            trx.insertInto('person').values({ name: 'Eve' }).execute(),
          ).rejects.toMatchObject({ code })
          await trx.rollback().execute()
          await db.transaction().execute(async (next) => {
            await next.insertInto('person').values({ name: 'Bob' }).execute()
          })
          expect(await names(scope)).toEqual(['Bob'])
        },
        { dialect: { transactionTimeout: 60_000 } },
      ),
  )
})
