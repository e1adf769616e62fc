import { describe, expect, it } from 'vitest'
import {
  type RestorableContext,
  migrateToLatest,
  restoreBefore,
} from '../../src/migration/index.js'
import { inDurableObject } from '../harness.js'

const MIGRATIONS = { '0001': 'create table a (x)', '0002': 'create table b (x)' }

function bookmarks(sql: SqlStorage): (string | null)[] {
  return sql
    .exec<{ bookmark: string | null }>('select bookmark from kysely_migration order by rowid')
    .toArray()
    .map(({ bookmark }) => bookmark)
}

/** Local development refuses `onNextSessionRestoreBookmark`, so that it is recorded instead. */
function recording(ctx: DurableObjectState): { ctx: RestorableContext; calls: string[] } {
  const calls: string[] = []
  const storage = new Proxy(ctx.storage, {
    get(target, key) {
      if (key === 'onNextSessionRestoreBookmark') {
        return async (bookmark: string) => {
          calls.push(`restore ${bookmark}`)
          return 'undo'
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ctx: { storage, abort: (reason) => calls.push(`abort: ${reason}`) }, calls }
}

describe('the bookmark', () => {
  it('should be kept with each journal entry', () =>
    inDurableObject(async ({ storage, sql }) => {
      const before = await storage.getCurrentBookmark()
      await migrateToLatest(storage, MIGRATIONS)
      const all = [before, ...bookmarks(sql), await storage.getCurrentBookmark()]
      expect(all).toHaveLength(4)
      expect(all.every((bookmark, i) => i === 0 || bookmark! > all[i - 1]!)).toBe(true)
    }))

  it('should be left out where the platform has none', () =>
    inDurableObject(async ({ storage, sql }) => {
      const withoutBookmarks = {
        sql,
        sync: () => storage.sync(),
        transaction: storage.transaction.bind(storage),
        transactionSync: storage.transactionSync.bind(storage),
        getCurrentBookmark: () => Promise.reject(new Error('no point-in-time recovery')),
      }
      await migrateToLatest(withoutBookmarks, MIGRATIONS)
      expect(bookmarks(sql)).toEqual([null, null])
    }))
})

describe('restoreBefore', () => {
  it('should ask for the point in time before the migration, and restart the object', () =>
    inDurableObject(async (scope) => {
      await migrateToLatest(scope.storage, MIGRATIONS)
      scope.sql.exec(`update kysely_migration set bookmark = 'before ' || name`)
      const { ctx, calls } = recording(scope.ctx)
      await restoreBefore(ctx, '0002')
      expect(calls).toEqual([
        'restore before 0002',
        'abort: Restarted to go back to the point in time before migration 0002.',
      ])
    }))

  it('should say that it cannot in local development, and leave the object alone', () =>
    inDurableObject(async ({ ctx, storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      await expect(restoreBefore(ctx, '0002')).rejects.toMatchObject({
        code: 'ERR_POINT_IN_TIME_UNAVAILABLE',
        cause: {
          message:
            "This Durable Object's storage back-end does not implement point-in-time recovery.",
        },
      })
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual([])
    }))

  it('should refuse a migration that was not applied, and one whose bookmark is not known', () =>
    inDurableObject(async (scope) => {
      await migrateToLatest(scope.storage, MIGRATIONS)
      scope.sql.exec('update kysely_migration set bookmark = null')
      const { ctx, calls } = recording(scope.ctx)
      await expect(restoreBefore(ctx, '0003')).rejects.toMatchObject({
        code: 'ERR_MIGRATION_UNKNOWN',
      })
      await expect(restoreBefore(ctx, '0002')).rejects.toMatchObject({
        code: 'ERR_POINT_IN_TIME_UNAVAILABLE',
      })
      expect(calls).toEqual([])
    }))
})
