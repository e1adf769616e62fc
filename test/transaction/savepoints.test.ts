import type { ControlledTransaction, Generated } from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, newObject, isRemote } from '../harness.js'
import { withPerson } from '../person.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

/** Runs the body in an open transaction and returns the names that are there afterwards. */
function namesAfter(
  body: (trx: ControlledTransaction<Database, string[]>) => Promise<unknown>,
): Promise<unknown[]> {
  return inDurableObject<Database, unknown[]>(async ({ db, exec }) => {
    await exec('create table person (id integer primary key, name text unique)')
    // Which savepoints are open is what is tested here, so the types do not track it.
    await body(await db.startTransaction().execute())
    // The database is free again.
    await db.selectFrom('person').select('name').execute()
    return (await exec('select name from person order by id')).map(({ name }) => name)
  })
}

async function add(trx: ControlledTransaction<Database, string[]>, name: string): Promise<void> {
  await trx.insertInto('person').values({ name }).execute()
}

describe('a savepoint', () => {
  it('should be undone alone', async () => {
    const names = await namesAfter(async (trx) => {
      await add(trx, 'before')
      await trx.savepoint('a').execute()
      await add(trx, 'within')
      await trx.rollbackToSavepoint('a').execute()
      await add(trx, 'after')
      await trx.commit().execute()
    })
    expect(names).toEqual(['before', 'after'])
  })

  it('should be kept when it is released', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('a').execute()
      await add(trx, 'within')
      await trx.releaseSavepoint('a').execute()
      await add(trx, 'after')
      await trx.commit().execute()
    })
    expect(names).toEqual(['within', 'after'])
  })

  it('should stay open after a rollback to it, so that it can be rolled back to again', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('a').execute()
      await add(trx, 'first')
      await trx.rollbackToSavepoint('a').execute()
      await add(trx, 'second')
      await trx.rollbackToSavepoint('a').execute()
      await add(trx, 'third')
      await trx.releaseSavepoint('a').execute()
      await trx.commit().execute()
    })
    expect(names).toEqual(['third'])
  })

  it('should be committed with its transaction after a rollback to it without release', async () => {
    const names = await namesAfter(async (trx) => {
      await add(trx, 'before')
      await trx.savepoint('a').execute()
      await add(trx, 'within')
      await trx.rollbackToSavepoint('a').execute()
      await trx.commit().execute()
    })
    expect(names).toEqual(['before'])
  })

  it('should nest: rolling back to the outer one undoes the inner one, released or not', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('outer').execute()
      await add(trx, 'outer')
      await trx.savepoint('released').execute()
      await add(trx, 'released')
      await trx.releaseSavepoint('released').execute()
      await trx.savepoint('open').execute()
      await add(trx, 'open')
      await trx.rollbackToSavepoint('outer').execute()
      await add(trx, 'after')
      await trx.commit().execute()
    })
    expect(names).toEqual(['after'])
  })

  it('should nest: releasing the outer one releases the inner one', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('outer').execute()
      await add(trx, 'outer')
      await trx.savepoint('inner').execute()
      await add(trx, 'inner')
      await trx.releaseSavepoint('outer').execute()
      await expect(trx.releaseSavepoint('inner').execute()).rejects.toMatchObject({
        code: 'SQLITE_ERROR',
        message: 'no such savepoint: inner',
      })
      await trx.commit().execute()
    })
    expect(names).toEqual(['outer', 'inner'])
  })

  it('should be the last of its name', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('a').execute()
      await add(trx, 'first')
      await trx.savepoint('a').execute()
      await add(trx, 'second')
      await trx.rollbackToSavepoint('a').execute()
      await trx.releaseSavepoint('a').execute()
      await add(trx, 'third')
      await trx.savepoint('b').execute()
      await add(trx, 'fourth')
      await trx.rollbackToSavepoint('a').execute()
      await add(trx, 'fifth')
      await trx.commit().execute()
    })
    expect(names).toEqual(['fifth'])
  })

  it('should be committed with the transaction when it is still open', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('a').execute()
      await add(trx, 'a')
      await trx.savepoint('b').execute()
      await add(trx, 'b')
      await trx.commit().execute()
    })
    expect(names).toEqual(['a', 'b'])
  })

  it('should be rolled back with the transaction when it is still open', async () => {
    const names = await namesAfter(async (trx) => {
      await add(trx, 'before')
      await trx.savepoint('a').execute()
      await add(trx, 'a')
      await trx.savepoint('b').execute()
      await trx.releaseSavepoint('b').execute()
      await trx.rollback().execute()
    })
    expect(names).toEqual([])
  })

  it('should undo a failed part and let the rest be committed', async () => {
    const names = await namesAfter(async (trx) => {
      await add(trx, 'Ada')
      await trx.savepoint('part').execute()
      await add(trx, 'Grace')
      await expect(add(trx, 'Ada')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
      await trx.rollbackToSavepoint('part').execute()
      await add(trx, 'Eve')
      await trx.commit().execute()
    })
    expect(names).toEqual(['Ada', 'Eve'])
  })

  // Not remote: the Worker is not the object, and waits for nothing.
  it.skipIf(isRemote)('should hold back what was asked for before it, until it is released', () =>
    withPerson(async ({ db }) => {
      const other = newObject()
      const order: string[] = []
      const trx = await db.startTransaction().execute()
      const begun = [
        scheduler.wait(1).then(() => order.push('timer')),
        other.greet('Ada').then(() => order.push('call')),
      ]
      const part = await trx.savepoint('part').execute()
      await scheduler.wait(5)
      await other.greet('Grace')
      order.push('release')
      await part.releaseSavepoint('part').execute()
      await Promise.all(begun)
      await trx.commit().execute()
      expect(order.toSorted()).toEqual(['call', 'release', 'timer'])
      expect(order[0]).toBe('release')
    }),
  )

  it('should have a name with a quote in it', async () => {
    const names = await namesAfter(async (trx) => {
      await trx.savepoint('a`b "c"').execute()
      await add(trx, 'within')
      await trx.rollbackToSavepoint('a`b "c"').execute()
      await trx.commit().execute()
    })
    expect(names).toEqual([])
  })

  it('should be an error where there is none of that name, and leave the transaction open', async () => {
    const names = await namesAfter(async (trx) => {
      await add(trx, 'before')
      await expect(trx.rollbackToSavepoint('nope').execute()).rejects.toMatchObject({
        code: 'SQLITE_ERROR',
        message: 'no such savepoint: nope',
      })
      await trx.commit().execute()
    })
    expect(names).toEqual(['before'])
  })
})
