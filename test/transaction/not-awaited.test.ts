import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { Transaction } from '../../src/transaction/transaction.js'
import { TransactionGate } from '../../src/transaction/transaction-gate.js'
import { isRemote, newObject, type Scope } from '../harness.js'
import { type PersonDatabase, withPerson } from '../person.js'

type Inside = Scope<PersonDatabase>

const failure = new Error('in the transaction')

/** Resolves to what the promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}

function names(sql: SqlStorage): unknown[] {
  return [...sql.exec('select name from person order by id').raw()].flat()
}

async function add(db: Inside['db'], name: string): Promise<void> {
  await db.insertInto('person').values({ name }).execute()
}

/** Begins a `storage.transaction()`, awaits that it is open, and leaves it alone for some time. */
async function leaveOpen({ storage, sql }: Inside): Promise<{ ended: Promise<void> }> {
  let ended: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve) => {
    ended = storage.transaction(async () => {
      sql.exec("insert into person (name) values ('left open')")
      resolve()
      await scheduler.wait(10)
    })
  })
  return { ended }
}

// Not remote: all of it is in the object.
describe.skipIf(isRemote)('a storage.transaction() in a db.transaction(), not awaited', () => {
  it('should be undone with it when the body throws, which waits for its end', () =>
    withPerson(async (scope) => {
      const { db, sql } = scope
      let ended: Promise<unknown> = Promise.resolve()
      let hasEnded = false
      const transaction = db.transaction().execute(async (trx) => {
        await add(trx, 'Ada')
        const left = await leaveOpen(scope)
        ended = (async () => {
          await left.ended
          hasEnded = true
        })()
        throw failure
      })
      const outside = add(db, 'Grace')
      await expect(transaction).rejects.toBe(failure)
      expect(hasEnded).toBe(true)
      await Promise.all([ended, outside])
      expect(names(sql)).toEqual(['Grace'])
    }))

  it('should be undone with the savepoint that it was begun in', () =>
    withPerson(async (scope) => {
      const { db, sql } = scope
      const trx = await db.startTransaction().execute()
      await add(trx, 'Ada')
      const part = await trx.savepoint('part').execute()
      await leaveOpen(scope)
      await part.rollbackToSavepoint('part').execute()
      await trx.commit().execute()
      expect(names(sql)).toEqual(['Ada'])
    }))

  it('should be let to end when the transaction is open for too long', () =>
    withPerson(async (scope) => {
      const { db, sql } = scope
      const trx = await db.startTransaction().execute()
      await add(trx, 'Ada')
      const { ended } = await leaveOpen(scope)
      const open = Transaction.openOn(sql)
      open?.expire()
      const outside = add(db, 'Grace')
      await open?.rollback()
      await ended
      await expect(trx.commit().execute()).rejects.toMatchObject({
        code: 'ERR_TRANSACTION_TIMEOUT',
      })
      await outside
      expect(names(sql)).toEqual(['Grace'])
    }))

  it('should not hold up the timeout of what waits in it', () =>
    withPerson(
      async (scope) => {
        const { db, storage, sql } = scope
        const errors: Promise<unknown>[] = []
        const addInVain = async (name: string): Promise<void> => {
          const error = errorOf(add(db, name))
          errors.push(error)
          await error
        }
        const transaction = db.transaction().execute(async () => {
          await storage.transaction(() =>
            storage.transaction(async () => {
              void addInVain('Ada')
              // The platform admits it when those around it have ended, before what awaits them goes on.
              void storage.transaction(() => addInVain('Grace'))
            }),
          )
          await addInVain('Eve')
          throw failure
        })
        await expect(transaction).rejects.toBe(failure)
        const timedOut = expect.objectContaining({ code: 'ERR_TRANSACTION_TIMEOUT' })
        expect(await Promise.all(errors)).toEqual([timedOut, timedOut, timedOut])
        expect(names(sql)).toEqual([])
      },
      { dialect: { transactionTimeout: 20 } },
    ))

  it('should make the platform reset the object when it is open at the commit', async () => {
    const stub = newObject()
    const request = withPerson(
      (scope) =>
        scope.db.transaction().execute(async (trx) => {
          await add(trx, 'Ada')
          await leaveOpen(scope)
        }),
      { stub },
    )
    await expect(request).rejects.toThrow('internal error')
    await withPerson(async ({ sql }) => expect(names(sql)).toEqual([]), {
      stub: env.OBJECT.get(stub.id),
    })
  })
})

describe.skipIf(isRemote)('a savepoint, not awaited', () => {
  it('should not hold the object when the transaction has ended', () =>
    withPerson(async ({ db, sql }) => {
      for (const end of ['commit', 'rollback'] as const) {
        const trx = await db.startTransaction().execute()
        await add(trx, end)
        const savepoint = trx.savepoint('a').execute()
        savepoint.catch(() => {})
        await trx[end]().execute()
        // Nothing of it is open: a timer is not held back.
        await scheduler.wait(1)
        expect(Transaction.openOn(sql)).toBeUndefined()
      }
      await db.transaction().execute((trx) => add(trx, 'afterwards'))
      expect(names(sql)).toEqual(['commit', 'afterwards'])
    }))

  it('should be undone with the transaction, or be an error, when its release is not awaited', () =>
    withPerson(async ({ db, sql }) => {
      const trx = await db.startTransaction().execute()
      const part = await trx.savepoint('a').execute()
      await add(part, 'Ada')
      part
        .releaseSavepoint('a')
        .execute()
        .catch(() => {})
      await trx.rollback().execute()
      expect(names(sql)).toEqual([])
    }))

  it('should be one after the other where several are asked for at once', () =>
    withPerson(async ({ db, sql }) => {
      const trx = await db.startTransaction().execute()
      const [a] = await Promise.all([trx.savepoint('a').execute(), trx.savepoint('b').execute()])
      await add(a, 'Ada')
      await Promise.all([a.rollbackToSavepoint('a').execute(), a.releaseSavepoint('a').execute()])
      await add(trx, 'Grace')
      await trx.commit().execute()
      expect(names(sql)).toEqual(['Grace'])
    }))

  it('should not make the end of the transaction wait for it', () =>
    withPerson(async ({ db, ctx, sql }) => {
      const trx = await db.startTransaction().execute()
      // Open when the closure ends, so that the platform admits no other beside it.
      await ctx.blockConcurrencyWhile(async () => {
        await trx.savepoint('a').execute()
      })
      const error = errorOf(trx.savepoint('b').execute())
      const open = Transaction.openOn(sql)
      open?.expire()
      await open?.rollback()
      expect(await error).toMatchObject({ code: 'ERR_TRANSACTION_TIMEOUT' })
      await trx
        .rollback()
        .execute()
        .catch(() => {})
      await db.transaction().execute((trx) => add(trx, 'afterwards'))
      expect(names(sql)).toEqual(['afterwards'])
    }))
})

describe.skipIf(isRemote)('the end of a transaction, not awaited', () => {
  const begin = ({ storage }: Inside): Promise<Transaction> =>
    Transaction.begin({
      storage,
      gate: TransactionGate.of(storage.sql),
      readOnly: false,
      timeout: 50,
    })

  it('should refuse a commit beside a rollback, and roll back', () =>
    withPerson(async (scope) => {
      const transaction = await begin(scope)
      scope.sql.exec("insert into person (name) values ('Ada')")
      const rolledBack = transaction.rollback()
      await expect(transaction.commit()).rejects.toMatchObject({ code: 'ERR_TRANSACTION_ENDED' })
      await rolledBack
      expect(transaction.isCommitted).toBe(false)
      expect(names(scope.sql)).toEqual([])
    }))

  it('should come after a rollback to a savepoint that was begun before', async () => {
    const stub = newObject()
    await withPerson(
      async (scope) => {
        const { sql } = scope
        const transaction = await begin(scope)
        sql.exec("insert into person (name) values ('Ada')")
        await transaction.savepoint('a')
        sql.exec("insert into person (name) values ('Grace')")
        const error = errorOf(transaction.rollbackToSavepoint('a'))
        await transaction.commit()
        expect(await error).toMatchObject({ code: 'ERR_TRANSACTION_ENDED' })
      },
      { stub },
    )
    // In another request, which the object answers when nothing is open.
    await withPerson(async ({ sql }) => expect(names(sql)).toEqual(['Ada']), { stub })
  })

  it('should keep the database until it is over, however often it is asked for', () =>
    withPerson(async (scope) => {
      const { db, sql } = scope
      const transaction = await begin(scope)
      await leaveOpen(scope)
      const first = transaction.rollback()
      const outside = add(db, 'Grace')
      await transaction.rollback()
      expect(Transaction.openOn(sql)).toBeUndefined()
      await Promise.all([first, outside])
      expect(names(sql)).toEqual(['Grace'])
    }))
})

// What docs/transactions.md says of the platform itself.
describe.skipIf(isRemote)('a storage.transaction() in another, not awaited', () => {
  const inside = (body: (state: DurableObjectState) => Promise<void>): Promise<void> => {
    const stub = newObject()
    return runInDurableObject(stub, async (_, ctx) => {
      ctx.storage.sql.exec('create table person (id integer primary key, name text)')
      await body(ctx)
    })
  }

  /** Runs it in a transaction that ends when the inner one, which takes longer, has begun. */
  async function nest(
    storage: DurableObjectStorage,
    end: () => void,
  ): Promise<{ outer: unknown; inner: unknown; written: unknown }> {
    let inner: Promise<unknown> = Promise.resolve()
    const settled = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => 'resolved',
        (error: unknown) => error,
      )
    const outer = await settled(
      storage.transaction(async () => {
        await new Promise<void>((resolve) => {
          inner = settled(
            storage.transaction(async () => {
              storage.sql.exec("insert into person (name) values ('inner')")
              resolve()
              await scheduler.wait(10)
            }),
          )
        })
        end()
      }),
    )
    storage.sql.exec("insert into person (name) values ('after the outer one')")
    const innerOutcome = await inner
    storage.sql.exec("insert into person (name) values ('after the inner one')")
    return { outer, inner: innerOutcome, written: names(storage.sql) }
  }

  it('should reset the object when the outer one commits', () =>
    expect(
      inside(async ({ storage }) => {
        await nest(storage, () => {})
      }),
    ).rejects.toThrow('internal error'))

  it('should be undone, with what is written until its end, when the outer one throws', () =>
    inside(async ({ storage }) => {
      const outcomes = await nest(storage, () => {
        throw failure
      })
      expect(outcomes).toEqual({
        outer: failure,
        inner: 'resolved',
        written: ['after the inner one'],
      })
    }))
})
