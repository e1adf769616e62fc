import { type Generated, Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import { batch, RemoteDurableObjectDialect } from '../../src/remote/index.js'
import { newObject } from '../harness.js'
import { offerDatabase } from '../remote-databases.js'
import { Transport } from './transport.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

interface Scope {
  readonly db: Kysely<Database>
  readonly transport: Transport
}

/** Runs the body with a `db` that has the table, and has had no other query. */
async function withTransport(
  body: (scope: Scope) => Promise<void>,
  roundTrip?: number,
): Promise<void> {
  const stub = newObject()
  const key = offerDatabase()
  const create = new Kysely<Database>({
    dialect: new RemoteDurableObjectDialect(() => stub.database(key)),
  })
  await create.schema
    .createTable('person')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.unique())
    .execute()
  await create.destroy()
  const transport = new Transport(stub, key, roundTrip)
  const db = new Kysely<Database>({ dialect: new RemoteDurableObjectDialect(transport.open) })
  await body({ db, transport })
  await db.destroy()
}

const add = (db: Kysely<Database>, name: string) => db.insertInto('person').values({ name })

const all = (db: Kysely<Database>) => db.selectFrom('person').selectAll()

describe('round trips', () => {
  it('should be one a query, the first included, which opens the only session', () =>
    withTransport(async ({ db, transport }) => {
      await all(db).execute()
      expect(transport.takeRoundTrips()).toBe(1)
      expect(transport.log).toEqual(['open', 'execute'])
      await add(db, 'Ada').returning('id').executeTakeFirstOrThrow()
      expect(transport.takeRoundTrips()).toBe(1)
      await expect(add(db, 'Ada').execute()).rejects.toMatchObject({
        code: 'SQLITE_CONSTRAINT_UNIQUE',
      })
      expect(transport.takeRoundTrips()).toBe(1)
      await Promise.all([all(db).execute(), all(db).execute(), all(db).execute()])
      expect(transport.takeRoundTrips()).toBe(1)
      expect(transport.log.filter((entry) => entry === 'open')).toHaveLength(1)
    }))

  it.each([1, 2, 5, 10])('should be one more than a transaction has statements: %d', (statements) =>
    withTransport(async ({ db, transport }) => {
      await db.transaction().execute(async (trx) => {
        for (let i = 0; i < statements; i++) {
          await add(trx, `${i}`).execute()
        }
      })
      expect(transport.takeRoundTrips()).toBe(statements + 1)
      expect(transport.log).toEqual(['open', 'transaction'])
    }),
  )

  it('should be as many for a transaction that is rolled back', () =>
    withTransport(async ({ db, transport }) => {
      const failure = new Error('in the body')
      const transaction = db.transaction().execute(async (trx) => {
        await add(trx, 'Ada').execute()
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(transport.takeRoundTrips()).toBe(2)
    }))

  it('should be none for a transaction without statements', () =>
    withTransport(async ({ db, transport }) => {
      await db.transaction().execute(async () => {})
      const trx = await db.startTransaction().execute()
      await trx.rollback().execute()
      expect(transport.log).toEqual([])
    }))

  it('should be one for each savepoint, release and rollback to one', () =>
    withTransport(async ({ db, transport }) => {
      const trx = await db.startTransaction().execute()
      const within = await trx.savepoint('a').execute()
      await add(within, 'Ada').execute()
      await within.rollbackToSavepoint('a').execute()
      await within.releaseSavepoint('a').execute()
      await trx.commit().execute()
      expect(transport.takeRoundTrips()).toBe(4 + 1)
    }))

  it('should be one for a batch, and one for a batch in a transaction', () =>
    withTransport(async ({ db, transport }) => {
      await batch(db, [add(db, 'Ada'), add(db, 'Grace'), all(db)])
      expect(transport.takeRoundTrips()).toBe(1)
      await db.transaction().execute((trx) => batch(trx, [add(trx, 'Eve'), all(trx)]))
      expect(transport.takeRoundTrips()).toBe(1 + 1)
    }))

  it('should be half as many as a stream has chunks, of which two are under way', () =>
    withTransport(async ({ db, transport }) => {
      await batch(
        db,
        Array.from({ length: 10 }, (_, i) => add(db, `${i}`)),
      )
      transport.takeRoundTrips()
      for await (const _ of all(db).stream(1)) {
        // Reads on.
      }
      // Ten rows and the end.
      expect(transport.takeRoundTrips()).toBe(6)
      for await (const _ of all(db).stream(100)) {
        // Reads on.
      }
      expect(transport.takeRoundTrips()).toBe(1)
      for await (const _ of all(db).stream(1)) {
        break
      }
      // The first row, and the word that no more are wanted.
      expect(transport.takeRoundTrips()).toBe(2)
    }))

  it('should be what a request takes, where each takes 20 ms', () =>
    withTransport(async ({ db, transport }) => {
      const start = Date.now()
      await add(db, 'Ada').execute()
      await db.transaction().execute(async (trx) => {
        await add(trx, 'Grace').execute()
        await add(trx, 'Eve').execute()
      })
      const [people] = await batch(db, [all(db), add(db, 'Bob')])
      expect(people).toHaveLength(3)
      const elapsed = Date.now() - start
      const roundTrips = transport.takeRoundTrips()
      expect(roundTrips).toBe(1 + 3 + 1)
      expect(elapsed).toBeGreaterThanOrEqual(roundTrips * 20 - 1)
      console.log(`${roundTrips} round trips of 20 ms took ${elapsed} ms.`)
    }, 20))
})
