import { describe, expect, it } from 'vitest'
import { type Migration, type Migrations, migrateToLatest } from '../../src/migration/index.js'
import { inDurableObject } from '../harness.js'
import { tableNames } from './helpers.js'

/** What migrating rejects with. */
function failureOf(storage: DurableObjectStorage, migrations: Migrations): Promise<unknown> {
  return migrateToLatest(storage, migrations).then(
    () => 'no failure',
    (error: unknown) => error,
  )
}

const tooLong = {
  code: 'ERR_MIGRATION_FAILED',
  message: expect.stringContaining(
    'Migration 0001 (up) failed and was undone: The transaction was open for longer than 25 s',
  ),
  cause: { code: 'ERR_TRANSACTION_TIMEOUT' },
}

// Each of them takes the 25 s of a transaction that is left open.
describe.concurrent('a migration that takes too long', () => {
  it.for<[string, Migration['foreignKeys']]>([
    ['on', undefined],
    ['off', 'off'],
  ])('should write nothing after it was undone, with foreign keys %s', ([, foreignKeys]) =>
    inDurableObject(async ({ storage }) => {
      let afterwards: Promise<unknown> = Promise.resolve()
      const up: Migration['up'] = (_, sql) => {
        sql.exec('create table a (x)')
        afterwards = scheduler.wait(26_000).then(() => sql.exec('create table b (x)'))
        afterwards.catch(() => {})
        return afterwards
      }
      const failing = foreignKeys === undefined ? { up } : { up, foreignKeys }
      expect(await failureOf(storage, { '0001': failing })).toMatchObject(tooLong)
      await expect(afterwards).rejects.toMatchObject({ code: 'ERR_TRANSACTION_TIMEOUT' })
      expect(tableNames(storage)).toEqual([])
      expect(await migrateToLatest(storage, { '0001': 'create table b (x)' })).toEqual(['0001'])
      expect(storage.sql.exec('pragma foreign_keys').one()).toEqual({ foreign_keys: 1 })
    }),
  )

  it('should fail though it never ends, and let the next run go on', () =>
    inDurableObject(async ({ storage }) => {
      const up: Migration['up'] = async (db) => {
        await db.schema.createTable('a').addColumn('x', 'integer').execute()
        await new Promise(() => {})
      }
      const [failure, next] = await Promise.all([
        failureOf(storage, { '0001': { up } }),
        migrateToLatest(storage, { '0001': 'create table b (x)' }),
      ])
      expect(failure).toMatchObject(tooLong)
      expect(next).toEqual(['0001'])
      expect(tableNames(storage)).toEqual(['b', 'kysely_migration'])
    }))
})

describe.concurrent('migrations in blockConcurrencyWhile()', () => {
  it('should not wait until the object is reset for a run that was begun outside', () =>
    inDurableObject(async ({ ctx, storage }) => {
      const migrations = { '0001': 'create table a (x)' }
      const outside = migrateToLatest(storage, migrations)
      const inside = await ctx.blockConcurrencyWhile(() => failureOf(storage, migrations))
      expect(inside).toMatchObject({
        code: 'ERR_TRANSACTION_TIMEOUT',
        message: expect.stringContaining('Migrations waited for 25000 ms for another'),
      })
      expect(await outside).toEqual(['0001'])
      expect(await migrateToLatest(storage, migrations)).toEqual([])
    }))
})

describe('a migration that migrates', () => {
  it('should fail, and let the next run go on', () =>
    inDurableObject(async ({ storage }) => {
      const inner: unknown[] = []
      const up: Migration['up'] = async (db) => {
        await db.schema.createTable('a').addColumn('x', 'integer').execute()
        await migrateToLatest(storage, { '0001': 'create table c (x)' }).catch((error: unknown) => {
          inner.push(error)
          throw error
        })
      }
      expect(await failureOf(storage, { '0001': { up } })).toMatchObject({
        code: 'ERR_MIGRATION_FAILED',
        cause: {
          code: 'ERR_TRANSACTION_TIMEOUT',
          message:
            'Migrations waited for 10000 ms for the open transaction to end. Call migrateToLatest() and migrateTo() outside of transactions and of migrations, for whose end they would wait.',
        },
      })
      expect(inner).toHaveLength(1)
      expect(await migrateToLatest(storage, { '0001': 'create table b (x)' })).toEqual(['0001'])
      expect(tableNames(storage)).toEqual(['b', 'kysely_migration'])
    }))
})

describe('the sql of a migration', () => {
  it('should be refused once the migration is committed', () =>
    inDurableObject(async ({ storage }) => {
      let kept: SqlStorage | undefined
      const up: Migration['up'] = async (_, sql) => {
        sql.exec('create table a (x)')
        kept = sql as SqlStorage
      }
      await migrateToLatest(storage, { '0001': { up } })
      expect(() => kept?.exec('create table b (x)')).toThrow(
        expect.objectContaining({ code: 'ERR_TRANSACTION_ENDED' }),
      )
      expect(tableNames(storage)).toEqual(['a', 'kysely_migration'])
    }))
})
