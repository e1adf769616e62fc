import { env } from 'cloudflare:workers'
import { Kysely, NoResultError } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { DurableObjectSqliteDialect, SyncExecutor } from '../../src/index.js'
import { boolean, columnTypes } from '../../src/columns/index.js'
import {
  batch,
  type OpenRemoteDatabase,
  RemoteDatabase,
  RemoteDurableObjectDialect,
} from '../../src/remote/index.js'
import { insideObject, newObject, outside } from '../harness.js'
import type { PersonDatabase } from '../person.js'
import { countSessions, offerDatabase } from '../remote-databases.js'

const create = 'create table person (id integer primary key, name text unique)'

describe('RemoteDurableObjectDialect', () => {
  it.each([undefined, null, {}, 'database', 1])(
    'should refuse %j instead of a function',
    (open) => {
      expect(() => new RemoteDurableObjectDialect(open as OpenRemoteDatabase)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_DATABASE' }),
      )
    },
  )

  it('should refuse the RemoteDatabase itself, which could not be opened anew', async () => {
    const stub = newObject()
    const opened = stub.database(offerDatabase())
    expect(() => new RemoteDurableObjectDialect(opened as unknown as OpenRemoteDatabase)).toThrow(
      'Pass a function that calls the object',
    )
    ;(await opened)[Symbol.dispose]()
  })

  it('should return itself as its clone', () => {
    const dialect = new RemoteDurableObjectDialect(() => newObject().database(''))
    expect(dialect.clone()).toBe(dialect)
  })

  it('should open nothing before the first query, and one session for all', () =>
    outside<PersonDatabase>(async ({ db, exec, inside }) => {
      await exec(create)
      const sessions = (): Promise<number> => inside(({ storage }) => countSessions(storage))
      expect(await sessions()).toBe(0)
      await Promise.all([1, 2, 3].map(() => db.selectFrom('person').selectAll().execute()))
      await db.transaction().execute((trx) => trx.selectFrom('person').selectAll().execute())
      for await (const _ of db.selectFrom('person').selectAll().stream()) {
        // There is none.
      }
      expect(await sessions()).toBe(1)
      await db.destroy()
      await vi.waitUntil(async () => (await sessions()) === 0)
    }))

  it('should work for several Kysely instances, one of which is destroyed', () =>
    outside<PersonDatabase>(async ({ db, dialect, exec }) => {
      await exec(create)
      const other = new Kysely<PersonDatabase>({ dialect })
      await other.insertInto('person').values({ name: 'Ada' }).execute()
      await other.destroy()
      expect(await db.selectFrom('person').select('name').execute()).toEqual([{ name: 'Ada' }])
      await expect(other.selectFrom('person').selectAll().execute()).rejects.toThrow(
        'driver has already been destroyed',
      )
    }))

  it('should be opened by an asynchronous function, and pass on what that throws', async () => {
    const stub = newObject()
    const key = offerDatabase()
    await outside<PersonDatabase>(
      async ({ db, exec }) => {
        await exec(create)
        expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
        await db.transaction().execute((trx) => trx.selectFrom('person').selectAll().execute())
      },
      {
        stub,
        open: async () => {
          await scheduler.wait(1)
          return env.OBJECT.get(stub.id).database(key)
        },
      },
    )
    const failure = new TypeError('thrown when it opens')
    await outside<PersonDatabase>(
      async ({ db }) => {
        await expect(db.selectFrom('person').selectAll().execute()).rejects.toBe(failure)
      },
      {
        open: () => {
          throw failure
        },
      },
    )
  })

  it("should throw Kysely's own NoResultError, and give rows without symbols", () =>
    outside<PersonDatabase>(async ({ db, exec }) => {
      await exec(create)
      const query = db.selectFrom('person').selectAll()
      await expect(query.executeTakeFirstOrThrow()).rejects.toBeInstanceOf(NoResultError)
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const rows = await query.execute()
      expect([rows, ...rows].flatMap((it) => Object.getOwnPropertySymbols(it))).toEqual([])
      expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
      expect(structuredClone(rows)).toEqual(rows)
    }))

  it('should tell what a refused statement costs, and pass on what onQuery throws', () => {
    const events: unknown[] = []
    return outside<PersonDatabase>(
      async ({ db, exec }) => {
        await exec(create)
        await expect(
          db.insertInto('person').values({ id: 1, name: 'Ada' }).execute(),
        ).rejects.toMatchObject({ name: 'RangeError', message: 'in onQuery' })
        expect(events).toMatchObject([{ rowsWritten: 2 }])
      },
      {
        dialect: {
          onQuery(event) {
            events.push(event)
            throw new RangeError('in onQuery')
          },
        },
      },
    )
  })

  it('should know what columns mean, also where two have one name', () => {
    interface Tables {
      a: { id: number; done: boolean }
      b: { id: number; done: string }
    }
    const columns = columnTypes<Tables>({ a: { done: boolean() } })
    return outside<Tables>(
      async ({ db, exec }) => {
        await exec(`create table a (id integer, done integer); create table b (id integer, done text);
          insert into b values (1, 'no')`)
        await db.insertInto('a').values({ id: 1, done: true }).execute()
        expect(await exec('select done from a')).toEqual([{ done: 1 }])
        expect(await db.selectFrom('a').selectAll().execute()).toEqual([{ id: 1, done: true }])
        const joined = db.selectFrom(['b', 'a']).select(['b.done', 'a.id', 'a.done as is'])
        expect(await joined.execute()).toEqual([{ done: 'no', id: 1, is: true }])
        const twice = db.selectFrom(['b', 'a']).select(['b.done', 'a.done'])
        expect(await twice.execute()).toEqual([{ done: true }])
        await db.transaction().execute(async (trx) => {
          await trx.updateTable('a').set({ done: false }).where('done', '=', true).execute()
          expect(await trx.selectFrom('a').select('done').execute()).toEqual([{ done: false }])
        })
        const [rows] = await batch(db, [db.selectFrom('a').selectAll()])
        expect(rows).toEqual([{ id: 1, done: false }])
        for await (const row of db.selectFrom('a').selectAll().stream()) {
          expect(row).toEqual({ id: 1, done: false })
        }
      },
      { dialect: { columns } },
    )
  })

  it('should be refused by a SyncExecutor', () =>
    insideObject(({ storage, stub }) => {
      const db = new Kysely({
        dialect: new RemoteDurableObjectDialect(() => stub.database(offerDatabase())),
      })
      expect(() => new SyncExecutor(db, storage)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_DATABASE' }),
      )
    }))

  it('should work from another object', () => {
    const stub = newObject()
    const key = offerDatabase()
    return insideObject(async () => {
      const db = new Kysely<PersonDatabase>({
        dialect: new RemoteDurableObjectDialect(() => env.OBJECT.get(stub.id).database(key)),
      })
      await db.schema.createTable('person').addColumn('name', 'text').execute()
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await trx.insertInto('person').values({ name: 'Grace' }).execute()
      })
      expect(await db.selectFrom('person').select('name').execute()).toHaveLength(2)
      await db.destroy()
    })
  })
})

describe('an option', () => {
  it.each([0, -1, Number.NaN, '1000', null])('should be no transactionTimeout of %j', (value) =>
    insideObject(({ db, storage, stub }) => {
      const transactionTimeout = value as number
      const refused = expect.objectContaining({ code: 'ERR_INVALID_OPTION' })
      expect(() => new RemoteDatabase(db, storage, { transactionTimeout })).toThrow(refused)
      expect(
        () => new RemoteDurableObjectDialect(() => stub.database(''), { transactionTimeout }),
      ).toThrow(refused)
    }),
  )

  it('should be no access that is misspelt', () =>
    insideObject(({ db, storage }) => {
      expect(() => new RemoteDatabase(db, storage, { access: 'readonly' as 'read-only' })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
      )
    }))
})

describe('RemoteDatabase', () => {
  it('should refuse a Kysely of another storage, or of another dialect', async () => {
    const other = await insideObject(({ db }) => db)
    await insideObject(({ db, storage, stub }) => {
      expect(new RemoteDatabase(db, storage)).toBeInstanceOf(RemoteDatabase)
      const remote = new Kysely({
        dialect: new RemoteDurableObjectDialect(() => stub.database(offerDatabase())),
      })
      const fromSql = new Kysely({ dialect: new DurableObjectSqliteDialect(storage.sql) })
      expect(new RemoteDatabase(fromSql, storage)).toBeInstanceOf(RemoteDatabase)
      for (const wrong of [other, remote]) {
        expect(() => new RemoteDatabase(wrong, storage)).toThrow(
          expect.objectContaining({ code: 'ERR_INVALID_DATABASE' }),
        )
      }
    })
  })
})
