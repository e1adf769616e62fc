import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject, tables } from './harness.js'

/** From the compatibility date 2026-02-24 on. */
const deleteAllDeletesAlarm = Cloudflare.compatibilityFlags['delete_all_deletes_alarm'] === true

describe('Draft', () => {
  it('should leave nothing behind', async () => {
    const draft = newObject(env.DRAFT)
    await draft.save('Dear reader')
    expect(await draft.read()).toBe('Dear reader')
    await draft.delete()
    expect(await draft.read()).toBeUndefined()
    await runInDurableObject(draft, async (_, { storage }) => {
      expect(await storage.getAlarm()).toBeNull()
      expect(tables(storage)).toEqual([])
    })
  })

  it('should be usable again, at once and after eviction', async () => {
    const draft = newObject(env.DRAFT)
    await draft.save('first')
    await draft.delete()
    await draft.save('second')
    expect(await draft.read()).toBe('second')
    await draft.delete()
    await evictDurableObject(draft)
    expect(await draft.read()).toBeUndefined()
    await draft.save('third')
    expect(await draft.read()).toBe('third')
  })

  it('should delete itself when its time is up', async () => {
    const draft = newObject(env.DRAFT)
    await draft.save('Dear reader')
    expect(await runDurableObjectAlarm(draft)).toBe(true)
    expect(await draft.read()).toBeUndefined()
    await runInDurableObject(draft, async (_, { storage }) => {
      expect(await storage.getAlarm()).toBeNull()
      expect(tables(storage)).toEqual([])
    })
  })
})

describe('a clean-up by deleteAll() alone', () => {
  it(`should ${deleteAllDeletesAlarm ? 'delete' : 'leave'} the alarm`, () =>
    inEmptyObject(async (storage) => {
      await storage.setAlarm(Date.now() + 60_000)
      await storage.deleteAll()
      expect((await storage.getAlarm()) === null).toBe(deleteAllDeletesAlarm)
    }))

  it('should take the tables away that the constructor has made', () =>
    inEmptyObject(async (storage) => {
      storage.sql.exec('create table draft (text)')
      await storage.deleteAll()
      expect(() => storage.sql.exec('insert into draft values (?)', 'second')).toThrow(
        'no such table: draft',
      )
    }))
})
