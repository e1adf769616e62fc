import { eq, ne, or, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/durable-sqlite'
import { migrate } from 'drizzle-orm/durable-sqlite/migrator'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import { inDurableObject, type Scope } from '../harness.js'

// What docs/comparison.md says of drizzle-orm and its source does not plainly show. A version in which
// one of these fails has changed, and the table with it.

const person = sqliteTable('person', {
  id: integer('id').primaryKey(),
  name: text('name').unique(),
})

interface DrizzleScope extends Scope<unknown> {
  readonly other: ReturnType<typeof drizzle>
}

function withDrizzle(body: (scope: DrizzleScope) => Promise<void>): Promise<void> {
  return inDurableObject(async (scope) => {
    scope.sql.exec('create table person (id integer primary key, name text unique)')
    await body({ ...scope, other: drizzle(scope.storage) })
  })
}

/** As `drizzle-kit generate` bundles them, with the times of the journal. */
function asFromDrizzleKit(migrations: Record<number, string>) {
  const entries = Object.keys(migrations).map((when, idx) => ({
    idx,
    when: Number(when),
    tag: when,
    breakpoints: true,
  }))
  return {
    journal: { entries },
    migrations: Object.fromEntries(
      Object.values(migrations).map((text, index) => [`m000${index}`, text]),
    ),
  }
}

function tableNames({ sql }: Scope<unknown>): unknown[] {
  return sql
    .exec("select name from sqlite_master where type = 'table' and name glob '[a-z]' order by 1")
    .toArray()
    .map(({ name }) => name)
}

describe('a transaction of Drizzle', () => {
  it('should keep what an async callback wrote before it threw', () =>
    withDrizzle(async ({ other }) => {
      const failure = new Error('in the callback')
      // The types forbid none of it.
      const transaction = other.transaction(async (tx) => {
        tx.insert(person).values({ name: 'Ada' }).run()
        await Promise.resolve()
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(other.select().from(person).all()).toEqual([{ id: 1, name: 'Ada' }])
    }))

  it('should undo what a synchronous callback wrote, and a nested one alone', () =>
    withDrizzle(async ({ other }) => {
      const failure = new Error('in the callback')
      const fail = (tx: Pick<typeof other, 'insert'>): never => {
        tx.insert(person).values({ name: 'Ada' }).run()
        throw failure
      }
      expect(() => other.transaction(fail)).toThrow(failure)
      other.transaction((tx) => {
        tx.insert(person).values({ name: 'Grace' }).run()
        expect(() => tx.transaction(fail)).toThrow(failure)
      })
      expect(other.select().from(person).all()).toEqual([{ id: 1, name: 'Grace' }])
    }))
})

describe('a query of Drizzle', () => {
  it('should return nothing for a write without returning', () =>
    withDrizzle(async ({ other }) => {
      expect(other.insert(person).values({ name: 'Ada' }).run()).toBeUndefined()
      expect(other.update(person).set({ name: 'Eve' }).run()).toBeUndefined()
    }))

  it('should fail with more than 100 values', () =>
    withDrizzle(async ({ other }) => {
      const rows = Array.from({ length: 101 }, (_, i) => ({ name: `${i}` }))
      expect(() => other.insert(person).values(rows).run()).toThrow('too many SQL variables')
    }))

  it('should fail with a long chain of conditions', () =>
    withDrizzle(async ({ other }) => {
      const conditions = Array.from({ length: 101 }, (_, i) => sql`id = ${sql.raw(`${i}`)}`)
      const query = other
        .select()
        .from(person)
        .where(or(...conditions))
      expect(() => query.all()).toThrow('Expression tree is too large')
    }))

  it('should not take a column that the table does not have for a string', () =>
    withDrizzle(async ({ other }) => {
      const outdated = sqliteTable('person', { expiredAt: text('expired_at') })
      const query = other.delete(outdated).where(ne(outdated.expiredAt, '2026-11-21'))
      expect(() => query.run()).toThrow('no such column')
    }))

  it('should throw the error of the platform, without a code', () =>
    withDrizzle(async ({ other }) => {
      const query = other.insert(person).values({ name: 'Ada' })
      query.run()
      let error: unknown
      try {
        query.run()
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toHaveProperty('code')
      expect(String(error)).toContain('SQLITE_CONSTRAINT_UNIQUE')
    }))

  it('should round an integer beyond 2^53', () =>
    withDrizzle(async ({ other, sql }) => {
      sql.exec("insert into person values (9007199254740993, 'Ada')")
      const query = other.select().from(person).where(eq(person.name, 'Ada'))
      expect(query.all()).toEqual([{ id: 9007199254740992, name: 'Ada' }])
    }))
})

describe('migrate() of Drizzle', () => {
  const A = { 1: 'create table a (x)' }
  const B = { 2: 'create table b (x)' }
  const C = { 3: 'create table c (x)' }

  it('should undo a whole run that fails, and hide the error of SQLite', () =>
    withDrizzle(async (scope) => {
      const failing = { ...A, 2: 'create table b (x)--> statement-breakpoint\nselect nope' }
      const error: unknown = await migrate(scope.other, asFromDrizzleKit(failing)).catch(
        (error: unknown) => error,
      )
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).not.toContain('nope')
      expect(tableNames(scope)).toEqual([])
    }))

  it('should notice neither an edited, nor a late, nor a missing migration', () =>
    withDrizzle(async (scope) => {
      const { other } = scope
      await migrate(other, asFromDrizzleKit({ ...A, ...C }))
      await migrate(other, asFromDrizzleKit({ 1: 'create table a (x, y)', ...B, ...C }))
      await migrate(other, asFromDrizzleKit(A))
      expect(tableNames(scope)).toEqual(['a', 'c'])
    }))

  it('should read the whole journal when there is nothing to do', () =>
    withDrizzle(async ({ other, storage }) => {
      const migrations = asFromDrizzleKit({ ...A, ...B, ...C })
      await migrate(other, migrations)
      const texts: string[] = []
      let rowsRead = 0
      // Drizzle asks for nothing else of a storage.
      const counting = {
        transactionSync: <T>(closure: () => T) => storage.transactionSync(closure),
        sql: {
          exec(text: string, ...bindings: unknown[]) {
            const cursor = storage.sql.exec(text, ...bindings)
            const rows = Array.from(cursor.raw())
            texts.push(text)
            rowsRead += cursor.rowsRead
            return { raw: () => ({ toArray: () => rows }) }
          },
        },
      }
      await migrate(drizzle(counting as unknown as DurableObjectStorage), migrations)
      expect(texts).toHaveLength(2)
      expect(rowsRead).toBeGreaterThanOrEqual(3)
    }))
})
