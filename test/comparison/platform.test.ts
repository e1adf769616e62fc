import { describe, expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'

// What docs/comparison.md says of SQL without a library, where Cloudflare's documentation does not.

describe('ctx.storage', () => {
  it('should undo a nested transaction() alone', () =>
    inDurableObject(async ({ storage, sql }) => {
      sql.exec('create table t (x)')
      await storage.transaction(async () => {
        sql.exec('insert into t values (1)')
        const nested = storage.transaction(async () => {
          sql.exec('insert into t values (2)')
          throw new Error('undo')
        })
        await expect(nested).rejects.toThrow('undo')
      })
      expect(sql.exec('select * from t').toArray()).toEqual([{ x: 1 }])
    }))

  it('should keep what an async closure of transactionSync() wrote before it threw', () =>
    inDurableObject(async ({ storage, sql }) => {
      sql.exec('create table t (x)')
      const transaction = storage.transactionSync(async () => {
        sql.exec('insert into t values (1)')
        throw new Error('undo')
      })
      await expect(transaction).rejects.toThrow('undo')
      expect(sql.exec('select * from t').toArray()).toEqual([{ x: 1 }])
    }))
})

describe('ctx.storage.sql', () => {
  it('should store a boolean, a Date and an object as text', () =>
    inDurableObject(({ sql }) => {
      const texts = [true, new Date(0), {}].map(
        (value) => sql.exec('select typeof(?) as type, ? as text', value, value).one()['text'],
      )
      expect(texts).toEqual(['true', String(new Date(0)), '[object Object]'])
    }))

  it('should refuse a bigint, and round an integer beyond 2^53', () =>
    inDurableObject(({ sql }) => {
      expect(() => sql.exec('select ?', 1n)).toThrow('Cannot convert a BigInt value to a number')
      expect(sql.exec('select 9007199254740993 as n').one()).toEqual({ n: 9007199254740992 })
    }))

  it('should have the code of an error in its message alone', () =>
    inDurableObject(({ sql }) => {
      sql.exec('create table t (x unique)')
      sql.exec('insert into t values (1)')
      let error: unknown
      try {
        sql.exec('insert into t values (1)')
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toHaveProperty('code')
      expect(String(error)).toContain('SQLITE_CONSTRAINT_UNIQUE')
    }))

  it('should count the rows of indexes among those written', () =>
    inDurableObject(({ sql }) => {
      sql.exec('create table t (id integer primary key, x unique)')
      expect(sql.exec("insert into t (x) values ('a')").rowsWritten).toBe(2)
      expect(sql.exec('select changes() as changes').one()).toEqual({ changes: 1 })
    }))

  it('should refuse a chain of 101 conditions', () =>
    inDurableObject(({ sql }) => {
      const chain = Array.from({ length: 101 }, (_, i) => `1 = ${i}`).join(' or ')
      expect(() => sql.exec(`select ${chain}`)).toThrow('Expression tree is too large')
    }))
})
