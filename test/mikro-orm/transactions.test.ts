import {
  IsolationLevel,
  LockMode,
  OptimisticLockError,
  UniqueConstraintViolationException,
} from '@mikro-orm/core'
import { describe, expect, it } from 'vitest'
import { inDurableObject, isRemote, newObject } from '../harness.js'
import { Author, Book } from './entities.js'
import { createOrm, type Orm, withOrm } from './harness.js'

async function names(orm: Orm): Promise<string[]> {
  const authors = await orm.em.fork().find(Author, {}, { orderBy: { id: 'asc' } })
  return authors.map(({ name }) => name)
}

describe('flush', () => {
  it('should undo all of its writes on a unique violation', () =>
    withOrm(async ({ orm, em }) => {
      em.create(Author, { name: 'Ada', email: 'ada@example.com' })
      await em.flush()
      const ada = await em.findOneOrFail(Author, { name: 'Ada' })
      ada.name = 'Ada Lovelace'
      em.create(Author, { name: 'Grace', email: 'grace@example.com', books: [{ title: 'COBOL' }] })
      em.create(Author, { name: 'Eve', email: 'ada@example.com' })
      await expect(em.flush()).rejects.toThrow(UniqueConstraintViolationException)
      expect(await names(orm)).toEqual(['Ada'])
      expect(await orm.em.fork().count(Book)).toBe(0)
    }))

  it('should hand over the error of the dialect as it is', () =>
    withOrm(async ({ em }) => {
      em.create(Author, { name: 'Ada', email: 'ada@example.com' })
      em.create(Author, { name: 'Eve', email: 'ada@example.com' })
      await expect(em.flush()).rejects.toMatchObject({
        name: 'UniqueConstraintViolationException',
        code: 'SQLITE_CONSTRAINT_UNIQUE',
        message:
          'UNIQUE constraint failed: author.email: SQLITE_CONSTRAINT ' +
          '(extended: SQLITE_CONSTRAINT_UNIQUE)',
      })
    }))

  it('should run beside another one', () =>
    withOrm(async ({ orm }) => {
      await Promise.all(
        ['Ada', 'Grace', 'Eve'].map(async (name) => {
          const em = orm.em.fork()
          em.create(Author, { name, email: `${name}@example.com`, books: [{ title: 'A book' }] })
          await em.flush()
        }),
      )
      expect((await names(orm)).toSorted((a, b) => a.localeCompare(b))).toEqual([
        'Ada',
        'Eve',
        'Grace',
      ])
      expect(await orm.em.fork().count(Book)).toBe(3)
    }))

  it('should fail alone beside another one', () =>
    withOrm(async ({ orm }) => {
      const outcomes = await Promise.allSettled(
        ['ada', 'ada', 'grace'].map(async (email, index) => {
          const em = orm.em.fork()
          em.create(Author, { name: `${index}`, email })
          await em.flush()
        }),
      )
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(await names(orm)).toEqual(['0', '2'])
    }))
})

describe('em.transactional()', () => {
  it('should undo the inner one of three and keep the others', () =>
    withOrm(async ({ orm, em }) => {
      await em.transactional(async (outer) => {
        outer.create(Author, { name: 'outer', email: 'outer' })
        await outer.transactional(async (middle) => {
          middle.create(Author, { name: 'middle', email: 'middle' })
          await middle.flush()
          await expect(
            middle.transactional(async (inner) => {
              inner.create(Author, { name: 'inner', email: 'inner' })
              await inner.flush()
              expect(await inner.count(Author)).toBe(3)
              throw new Error('inner')
            }),
          ).rejects.toThrow('inner')
          expect(await middle.count(Author)).toBe(2)
          middle.create(Author, { name: 'after', email: 'after' })
        })
      })
      expect(await names(orm)).toEqual(['outer', 'middle', 'after'])
    }))

  it('should undo all three when the outer one throws', () =>
    withOrm(async ({ orm, em }) => {
      await expect(
        em.transactional(async (outer) => {
          outer.create(Author, { name: 'outer', email: 'outer' })
          await outer.transactional(async (middle) => {
            middle.create(Author, { name: 'middle', email: 'middle' })
            await middle.transactional(async (inner) => {
              inner.create(Author, { name: 'inner', email: 'inner' })
            })
          })
          expect(await outer.count(Author)).toBe(3)
          throw new Error('outer')
        }),
      ).rejects.toThrow('outer')
      expect(await names(orm)).toEqual([])
    }))

  it('should go on after a violation in a savepoint', () =>
    withOrm(async ({ orm, em }) => {
      em.create(Author, { name: 'Ada', email: 'ada' })
      await em.flush()
      const failures: unknown[] = []
      await em.transactional(async (outer) => {
        for (const email of ['ada', 'ada', 'grace']) {
          await outer
            .transactional(async (inner) => {
              inner.create(Author, { name: email, email })
            })
            .catch((error: unknown) => failures.push(error))
        }
      })
      expect(failures).toEqual([
        expect.any(UniqueConstraintViolationException),
        expect.any(UniqueConstraintViolationException),
      ])
      expect(await names(orm)).toEqual(['Ada', 'grace'])
    }))

  // Not remote: KV and alarms are written inside the object.
  it.skipIf(isRemote)('should undo KV and alarms too', () =>
    withOrm(async ({ em, storage }) => {
      await expect(
        em.transactional(async () => {
          await storage.put('key', 'value')
          await storage.setAlarm(Date.now() + 3_600_000)
          throw new Error('failure')
        }),
      ).rejects.toThrow('failure')
      expect(await storage.get('key')).toBeUndefined()
      expect(await storage.getAlarm()).toBeNull()
    }),
  )

  it('should accept an isolation level, and refuse a write when it is read only', () =>
    withOrm(async ({ orm, em }) => {
      await em.transactional(
        async (trx) => {
          trx.create(Author, { name: 'Ada', email: 'ada' })
        },
        { isolationLevel: IsolationLevel.SERIALIZABLE },
      )
      await expect(
        em.fork().transactional(
          async (trx) => {
            trx.create(Author, { name: 'Eve', email: 'eve' })
          },
          { readOnly: true },
        ),
      ).rejects.toThrow('read only')
      expect(await names(orm)).toEqual(['Ada'])
    }))
})

describe('em.begin()', () => {
  it('should keep what em.commit() commits', () =>
    withOrm(async ({ orm, em }) => {
      await em.begin()
      em.create(Author, { name: 'Ada', email: 'ada' })
      await em.commit()
      expect(await names(orm)).toEqual(['Ada'])
    }))

  it('should undo what em.rollback() undoes', () =>
    withOrm(async ({ orm, em }) => {
      await em.begin()
      em.create(Author, { name: 'Ada', email: 'ada' })
      await em.flush()
      expect(await em.count(Author)).toBe(1)
      await em.rollback()
      expect(await names(orm)).toEqual([])
      await em.begin()
      await em.rollback()
      expect(await names(orm)).toEqual([])
    }))
})

describe('optimistic locking', () => {
  it('should refuse to overwrite what another request wrote', () =>
    withOrm(async ({ orm, em }) => {
      em.create(Author, { name: 'Ada', email: 'ada' })
      await em.flush()
      const [first, second] = [orm.em.fork(), orm.em.fork()]
      const mine = await first.findOneOrFail(Author, { email: 'ada' })
      const theirs = await second.findOneOrFail(Author, { email: 'ada' })
      theirs.name = 'Theirs'
      await second.flush()
      expect(theirs.version).toBe(2)
      mine.name = 'Mine'
      await expect(first.flush()).rejects.toThrow(OptimisticLockError)
      expect(await names(orm)).toEqual(['Theirs'])
    }))

  it('should check the version that em.lock() is given', () =>
    withOrm(async ({ em }) => {
      const ada = em.create(Author, { name: 'Ada', email: 'ada' })
      await em.flush()
      await em.transactional(async (trx) => {
        await trx.lock(ada, LockMode.OPTIMISTIC, 1)
        await expect(trx.lock(ada, LockMode.OPTIMISTIC, 2)).rejects.toThrow(OptimisticLockError)
      })
    }))
})

describe('two requests at once', () => {
  // Not remote: the one Kysely of both is destroyed with the first body. transactions.test.ts has two.
  it.skipIf(isRemote)('should each have a transaction of its own', async () => {
    const stub = newObject()
    const orm = await inDurableObject(
      async ({ dialect }) => {
        const made = createOrm(dialect)
        await made.schema.update()
        return made
      },
      { stub },
    )
    const request = (name: string, fail: boolean): Promise<void> =>
      inDurableObject(
        () =>
          orm.em.fork().transactional(async (em) => {
            em.create(Author, { name, email: name })
            await em.flush()
            await new Promise((resolve) => {
              setTimeout(resolve, 1)
            })
            em.create(Author, { name: `${name} again`, email: `${name} again` })
            await em.flush()
            if (fail) {
              throw new Error(name)
            }
          }),
        { stub },
      )
    const outcomes = await Promise.allSettled([
      request('Ada', false),
      request('Eve', true),
      request('Grace', false),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await inDurableObject(
      async () => {
        // Which of the requests arrives first is not said; that none comes in between is.
        expect([
          ['Ada', 'Ada again', 'Grace', 'Grace again'],
          ['Grace', 'Grace again', 'Ada', 'Ada again'],
        ]).toContainEqual(await names(orm))
      },
      { stub },
    )
  })
})
