import { Kysely } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { newObject, outside, type Scope } from '../harness.js'
import type { PersonDatabase } from '../person.js'

const create = 'create table if not exists person (id integer primary key, name text unique)'

/** Runs the body with the `db`s of two Workers on one object. */
async function withTwo(
  body: (one: Scope<PersonDatabase>, other: Scope<PersonDatabase>) => Promise<void>,
): Promise<void> {
  const stub = newObject()
  await outside<PersonDatabase>(
    async (one) => {
      await one.exec(create)
      await outside<PersonDatabase>((other) => body(one, other), { stub })
    },
    { stub },
  )
}

const add = (db: Kysely<PersonDatabase>, name: string) => db.insertInto('person').values({ name })

const names = async (db: Kysely<PersonDatabase>): Promise<string[]> =>
  (await db.selectFrom('person').select('name').orderBy('id').execute()).map(({ name }) => name)

describe('a remote transaction', () => {
  it('should make the queries of another Worker wait for its end', () =>
    withTwo(async (one, other) => {
      const order: string[] = []
      const trx = await one.db.startTransaction().execute()
      await add(trx, 'Ada').execute()
      const outsideIt = names(other.db).then((result) => {
        order.push('other')
        return result
      })
      await scheduler.wait(5)
      await add(trx, 'Grace').execute()
      order.push('commit')
      await trx.commit().execute()
      expect(await outsideIt).toEqual(['Ada', 'Grace'])
      expect(order).toEqual(['commit', 'other'])
    }))

  it('should make the transaction of another Worker wait for its end', () =>
    withTwo(async (one, other) => {
      const run = (db: Kysely<PersonDatabase>, name: string): Promise<unknown> =>
        db.transaction().execute(async (trx) => {
          await add(trx, `${name} 1`).execute()
          await scheduler.wait(2)
          await add(trx, `${name} 2`).execute()
        })
      await Promise.all([run(one.db, 'one'), run(other.db, 'other')])
      expect([
        ['one 1', 'one 2', 'other 1', 'other 2'],
        ['other 1', 'other 2', 'one 1', 'one 2'],
      ]).toContainEqual(await names(one.db))
    }))

  it('should make the requests of the object wait for its end', () =>
    withTwo(async ({ db, exec }) => {
      const trx = await db.startTransaction().execute()
      await add(trx, 'Ada').execute()
      const request = exec('select name from person')
      await trx.rollback().execute()
      expect(await request).toEqual([])
    }))

  it('should begin with its first statement, and hold up nobody before', () =>
    withTwo(async (one, other) => {
      const trx = await one.db.startTransaction().execute()
      await add(other.db, 'Ada').execute()
      expect(await names(trx)).toEqual(['Ada'])
      await trx.commit().execute()
    }))

  it('should wait for a transaction of the object itself', () =>
    withTwo(async ({ db, inside }) => {
      let hasBegun = false
      const own = inside(({ storage }) => {
        const local = new Kysely<PersonDatabase>({
          dialect: new DurableObjectSqliteDialect(storage),
        })
        return local.transaction().execute(async (trx) => {
          await add(trx, 'Ada').execute()
          hasBegun = true
          await scheduler.wait(10)
          await add(trx, 'Grace').execute()
        })
      })
      // Not by a promise: what follows it would run inside the object.
      await vi.waitUntil(() => hasBegun)
      const [, seen] = await Promise.all([
        own,
        db.transaction().execute((trx) => names(trx)),
        add(db, 'Eve').execute(),
      ])
      expect(seen).toEqual(['Ada', 'Grace'])
      expect(await names(db)).toEqual(['Ada', 'Grace', 'Eve'])
    }))

  it('should take settings as a local one does', () =>
    withTwo(async ({ db }) => {
      const readOnly = db.transaction().setIsolationLevel('serializable').setAccessMode('read only')
      await expect(readOnly.execute((trx) => add(trx, 'Ada').execute())).rejects.toMatchObject({
        code: 'ERR_READ_ONLY_TRANSACTION',
      })
      expect(await names(db)).toEqual([])
    }))
})
