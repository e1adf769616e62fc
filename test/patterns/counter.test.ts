import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject } from './harness.js'

describe('Counter', () => {
  it('should start at 0', async () => {
    const counter = newObject(env.COUNTER)
    expect(await counter.read('visits')).toBe(0)
    expect(await counter.increment('visits')).toBe(1)
  })

  it('should miss no increment of those that are made at once', async () => {
    const counter = newObject(env.COUNTER)
    const values = await runInDurableObject(counter, (instance) =>
      Promise.all(Array.from({ length: 20 }, () => instance.increment('visits'))),
    )
    expect(values).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  it('should keep its value when the object is evicted', async () => {
    const counter = newObject(env.COUNTER)
    await counter.increment('visits', 41)
    await evictDurableObject(counter)
    expect(await counter.increment('visits')).toBe(42)
  })

  it('should refuse what is not a whole number', async () => {
    const counter = newObject(env.COUNTER)
    await runInDurableObject(counter, (instance) =>
      expect(instance.increment('visits', Number.NaN)).rejects.toThrow(
        'A counter counts in whole numbers, not by NaN.',
      ),
    )
    expect(await counter.read('visits')).toBe(0)
  })
})

/** The usual version: read, add, write. */
async function increment(storage: DurableObjectStorage): Promise<number> {
  const value = await storage.get<number>('value')
  const next = value! + 1
  await storage.put('value', next)
  return next
}

describe('a counter that reads, adds and writes', () => {
  it('should store NaN first, and never anything else', () =>
    inEmptyObject(async (storage) => {
      expect(await increment(storage)).toBeNaN()
      expect(await increment(storage)).toBeNaN()
      expect(await storage.get('value')).toBeNaN()
    }))

  it('should miss increments that are made at once', () =>
    inEmptyObject(async (storage) => {
      await storage.put('value', 0)
      await Promise.all(Array.from({ length: 20 }, () => increment(storage)))
      expect(await storage.get('value')).toBe(1)
    }))
})
