import { evictDurableObject } from 'cloudflare:test'
import { Migrator } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { type Migrations, migrateToLatest } from '../../src/migration/index.js'
import { inDurableObject, newObject } from '../harness.js'

interface Cost {
  readonly statements: number
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** The object's own storage, with every statement that reaches it counted. */
function counting(storage: DurableObjectStorage): {
  readonly storage: DurableObjectStorage
  readonly cost: () => Cost
} {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
  const sql = new Proxy(storage.sql, {
    get: (target, key) =>
      key === 'exec'
        ? (query: string, ...bindings: unknown[]) => {
            const cursor = target.exec(query, ...bindings)
            cursors.push(cursor)
            return cursor
          }
        : Reflect.get(target, key, target),
  })
  const counted = new Proxy(storage, {
    get(target, key) {
      const value: unknown = key === 'sql' ? sql : Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const sum = (property: 'rowsRead' | 'rowsWritten'): number =>
    cursors.reduce((total, cursor) => total + cursor[property], 0)
  return {
    storage: counted,
    cost: () => ({
      statements: cursors.length,
      rowsRead: sum('rowsRead'),
      rowsWritten: sum('rowsWritten'),
    }),
  }
}

function migrationsUpTo(count: number): Migrations {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const number = String(index + 1).padStart(4, '0')
      return [number, `create table t${number} (id integer primary key, name text)`]
    }),
  )
}

describe('waking up with nothing to do', () => {
  it.each([1, 20, 200])(
    'should be one query that reads one row, with %i migrations',
    async (count) => {
      const stub = newObject()
      const migrations = migrationsUpTo(count)
      await inDurableObject(({ storage }) => migrateToLatest(storage, migrations), { stub })
      await evictDurableObject(stub)
      await inDurableObject(
        async (scope) => {
          const { storage, cost } = counting(scope.storage)
          expect(await migrateToLatest(storage, migrations)).toEqual([])
          expect(cost()).toEqual({ statements: 1, rowsRead: 1, rowsWritten: 0 })
        },
        { stub },
      )
    },
  )

  it("should be that from the second time on where Kysely's Migrator applied them", () =>
    inDurableObject(async (scope) => {
      const up = async (): Promise<void> => {}
      const migrations = { '0001': { up }, '0002': { up } }
      const provider = { getMigrations: () => Promise.resolve(migrations) }
      await new Migrator({ db: scope.db, provider }).migrateToLatest()
      await migrateToLatest(scope.storage, migrations)
      const { storage, cost } = counting(scope.storage)
      expect(await migrateToLatest(storage, migrations)).toEqual([])
      expect(cost()).toEqual({ statements: 1, rowsRead: 1, rowsWritten: 0 })
    }))

  it('should be that from the second time on where the last migration was not the newest', () =>
    inDurableObject(async (scope) => {
      const { '0001': first, ...others } = migrationsUpTo(20)
      const migrations = { '0001': first!, ...others }
      await migrateToLatest(scope.storage, others)
      await migrateToLatest(scope.storage, migrations, { allowUnorderedMigrations: true })
      const { storage, cost } = counting(scope.storage)
      expect(await migrateToLatest(storage, migrations)).toEqual([])
      expect(cost()).toEqual({ statements: 1, rowsRead: 1, rowsWritten: 0 })
    }))
})
