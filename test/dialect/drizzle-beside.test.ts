import { drizzle } from 'drizzle-orm/durable-sqlite'
import { eq } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { expect, it } from 'vitest'
import { type PersonDatabase, withPerson } from '../person.js'
import type { Scope } from '../harness.js'

const person = sqliteTable('person', {
  id: integer('id').primaryKey(),
  name: text('name').unique(),
})

function withBoth<T>(
  body: (
    scope: Scope<PersonDatabase> & { readonly other: ReturnType<typeof drizzle> },
  ) => Promise<T>,
): Promise<T> {
  return withPerson((scope) => body({ ...scope, other: drizzle(scope.storage) }))
}

it('should read what Drizzle wrote in the same object, and the other way round', () =>
  withBoth(async ({ db, other }) => {
    await other.insert(person).values({ name: 'Ada' })
    await db.insertInto('person').values({ name: 'Grace' }).execute()
    const both = [
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Grace' },
    ]
    expect(await db.selectFrom('person').selectAll().execute()).toEqual(both)
    expect(await other.select().from(person)).toEqual(both)
  }))

it('should undo what Drizzle wrote inside a transaction that is rolled back', () =>
  withBoth(async ({ db, other }) => {
    const failure = new Error('undo')
    await expect(
      db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await other.insert(person).values({ name: 'Grace' })
        other.transaction((tx) =>
          tx.update(person).set({ name: 'Eve' }).where(eq(person.id, 1)).run(),
        )
        expect(await trx.selectFrom('person').select('name').execute()).toEqual([
          { name: 'Eve' },
          { name: 'Grace' },
        ])
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(await other.select().from(person)).toEqual([])
  }))

it('should undo what Drizzle writes beside a transaction too, for which it does not wait', () =>
  withBoth(async ({ db, other }) => {
    const begun = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const transaction = db.transaction().execute(async () => {
      begun.resolve()
      await written.promise
      throw new Error('undo')
    })
    await begun.promise
    await other.insert(person).values({ name: 'Ada' })
    written.resolve()
    await expect(transaction).rejects.toThrow('undo')
    expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
  }))

it('should give an insert by Kysely its own id, whatever Drizzle inserted before', () =>
  withBoth(async ({ db, other }) => {
    await other.insert(person).values({ id: 77, name: 'Ada' })
    const again = db.insertInto('person').values({ name: 'Ada' }).orIgnore()
    expect(await db.executeQuery(again)).toEqual({ rows: [], numAffectedRows: 0n })
    const grace = db.insertInto('person').values({ name: 'Grace' })
    expect(await db.executeQuery(grace)).toMatchObject({ insertId: 78n })
  }))
