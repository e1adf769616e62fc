import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { getMigrations, migrateTo, migrateToLatest } from '../../src/migration/index.js'
import { inDurableObject } from '../harness.js'
import { codeOf, tableNames } from './helpers.js'

function createTable(name: string): Migration {
  return {
    async up(db) {
      await db.schema.createTable(name).addColumn('x', 'integer').execute()
    },
    async down(db) {
      await db.schema.dropTable(name).execute()
    },
  }
}

const ONE = { '0001': createTable('a') }
const TWO = { ...ONE, '0002': createTable('b') }
const THREE = { ...TWO, '0003': createTable('c') }

function migrator(db: Kysely<unknown>, migrations: Record<string, Migration>): Migrator {
  return new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
}

function success(migrationName: string, direction: 'Up' | 'Down' = 'Up'): object {
  return { migrationName, direction, status: 'Success' }
}

describe("Kysely's own Migrator", () => {
  it('should go on after migrateToLatest(), and the other way round', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      expect(await migrator(db, ONE).migrateToLatest()).toEqual({ results: [success('0001')] })
      expect(await migrateToLatest(storage, TWO)).toEqual(['0002'])
      expect(await migrator(db, THREE).migrateToLatest()).toEqual({ results: [success('0003')] })
      expect(await migrateToLatest(storage, THREE)).toEqual([])
      expect(await migrator(db, THREE).migrateToLatest()).toEqual({ results: [] })
      expect(tableNames(storage)).toEqual([
        'a',
        'b',
        'c',
        'kysely_migration',
        'kysely_migration_lock',
      ])
    }))

  it('should find what migrateToLatest() applied, in its order', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      await migrateToLatest(storage, THREE)
      const infos = await migrator(db, THREE).getMigrations()
      const executedAt = infos.map(({ executedAt }) => executedAt?.getTime() ?? 0)
      expect(executedAt).toEqual([...new Set(executedAt)].toSorted((a, b) => a - b))
      expect(await getMigrations(storage, THREE)).toEqual(
        infos.map(({ name, executedAt }) => ({
          name,
          state: 'applied',
          executedAt,
          checksum: 'unknown',
        })),
      )
    }))

  it('should be noticed when it undoes a migration, and to undo one of ours', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      await migrateToLatest(storage, THREE)
      expect(await migrator(db, THREE).migrateDown()).toEqual({
        results: [success('0003', 'Down')],
      })
      expect(tableNames(storage)).toEqual(['a', 'b', 'kysely_migration', 'kysely_migration_lock'])
      expect(await migrateToLatest(storage, THREE)).toEqual(['0003'])
      expect(await migrateTo(storage, THREE, '0001')).toEqual(['0003', '0002'])
      expect(await migrator(db, THREE).migrateToLatest()).toEqual({
        results: [success('0002'), success('0003')],
      })
    }))

  it('should be noticed when it applied one that is not given', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      await migrator(db, TWO).migrateToLatest()
      expect(await codeOf(migrateToLatest(storage, ONE))).toBe('ERR_MIGRATION_MISSING')
    }))

  it('should apply all of its migrations or none', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      const failure = new Error('no')
      const failing = { ...ONE, '0002': { up: () => Promise.reject(failure) } }
      expect(await migrator(db, failing).migrateToLatest()).toMatchObject({ error: failure })
      expect(tableNames(storage)).toEqual(['kysely_migration', 'kysely_migration_lock'])
    }))

  it('should not run a migration that migrateToLatest() is running', () =>
    inDurableObject<unknown>(async ({ db, storage }) => {
      const [names, { results }] = await Promise.all([
        migrateToLatest(storage, TWO),
        migrator(db, TWO).migrateToLatest(),
      ])
      const theirs = results?.map(({ migrationName }) => migrationName) ?? []
      expect([...names, ...theirs].toSorted()).toEqual(['0001', '0002'])
    }))
})
