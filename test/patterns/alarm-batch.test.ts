import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import type { ViewCounter } from '../../examples/patterns/src/patterns/alarm-batch.js'
import { env, inEmptyObject, newObject } from './harness.js'

/** Makes the table that batches are written to refuse them, or take them again. */
function breakWrites(counter: DurableObjectStub<ViewCounter>, broken: boolean): Promise<unknown> {
  return runInDurableObject(counter, (_, { storage }) =>
    storage.sql.exec(
      broken
        ? "create trigger broken before insert on page_views when new.page = '/docs' begin select raise(abort, 'disk on fire'); end"
        : 'drop trigger broken',
    ),
  )
}

function alarm(counter: DurableObjectStub<ViewCounter>): Promise<number | null> {
  return runInDurableObject(counter, (_, { storage }) => storage.getAlarm())
}

describe('ViewCounter', () => {
  it('should write what was queued when the alarm comes', async () => {
    const counter = newObject(env.VIEW_COUNTER)
    for (const page of ['/', '/docs', '/']) {
      await counter.view(page)
    }
    expect(await counter.views()).toEqual([])
    expect(await runDurableObjectAlarm(counter)).toBe(true)
    expect(await counter.views()).toEqual([
      { page: '/', views: 2 },
      { page: '/docs', views: 1 },
    ])
    expect(await counter.queued()).toBe(0)
    expect(await alarm(counter)).toBeNull()
  })

  it('should add to what was written before', async () => {
    const counter = newObject(env.VIEW_COUNTER)
    await counter.view('/')
    await runDurableObjectAlarm(counter)
    await counter.view('/')
    await runDurableObjectAlarm(counter)
    expect(await counter.views()).toEqual([{ page: '/', views: 2 }])
  })

  it('should lose nothing when the write fails, and write it once', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue()
    const counter = newObject(env.VIEW_COUNTER)
    await counter.view('/')
    await counter.view('/docs')
    await breakWrites(counter, true)
    await runDurableObjectAlarm(counter)
    expect(log).toHaveBeenCalledOnce()
    expect(await counter.views()).toEqual([])
    expect(await counter.queued()).toBe(2)
    expect(await alarm(counter)).toBeGreaterThan(Date.now())

    await breakWrites(counter, false)
    await runDurableObjectAlarm(counter)
    expect(await counter.views()).toEqual([
      { page: '/', views: 1 },
      { page: '/docs', views: 1 },
    ])
    expect(await counter.queued()).toBe(0)
    log.mockRestore()
  })

  it('should write what was queued before the object was evicted', async () => {
    const counter = newObject(env.VIEW_COUNTER)
    await counter.view('/')
    await evictDurableObject(counter)
    await runDurableObjectAlarm(counter)
    expect(await counter.views()).toEqual([{ page: '/', views: 1 }])
  })

  it('should write a long queue in several batches', async () => {
    const counter = newObject(env.VIEW_COUNTER)
    await runInDurableObject(counter, (_, { storage }) =>
      storage.sql.exec(
        `with recursive n(i) as (values (1) union all select i + 1 from n where i < 1200)
         insert into queued_view (page) select '/' from n`,
      ),
    )
    await counter.view('/')
    await runDurableObjectAlarm(counter)
    expect(await counter.queued()).toBe(0)
    expect(await counter.views()).toEqual([{ page: '/', views: 1201 }])
  })
})

/** The usual version: the queue is in memory, and emptied before it is written. */
class UsualViewCounter {
  #queue: string[] = []

  view(page: string): void {
    this.#queue.push(page)
  }

  async alarm(write: (batch: string[]) => Promise<void>): Promise<void> {
    const batch = this.#queue
    this.#queue = []
    await write(batch)
  }
}

describe('a batch that is queued in memory', () => {
  it('should be lost when the write fails', async () => {
    const counter = new UsualViewCounter()
    counter.view('/')
    const failure = new Error('disk on fire')
    await expect(counter.alarm(() => Promise.reject(failure))).rejects.toBe(failure)

    const written: string[][] = []
    await counter.alarm(async (batch) => void written.push(batch))
    expect(written).toEqual([[]])
  })

  it('should be lost when the object is evicted', () =>
    inEmptyObject(async (storage) => {
      new UsualViewCounter().view('/')
      // What is left after eviction is the storage, and another instance.
      const written: string[] = []
      await new UsualViewCounter().alarm(async (batch) => void written.push(...batch))
      expect(written).toEqual([])
      expect(await storage.list()).toEqual(new Map())
    }))
})
