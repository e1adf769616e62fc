import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject } from './harness.js'

const limit = { requests: 3, window: 1000 }

describe('RateLimiter', () => {
  it('should allow the limit in any window, from the first request on', async () => {
    const limiter = newObject(env.RATE_LIMITER)
    const times = [0, 100, 200, 300, 999, 1000, 1050, 1100, 1200, 1201]
    const answers: boolean[] = []
    for (const time of times) {
      answers.push(await limiter.allow(limit, time))
    }
    expect(answers).toEqual([true, true, true, false, false, true, false, true, true, false])
  })

  it('should let no more through when requests come at once', async () => {
    const limiter = newObject(env.RATE_LIMITER)
    const answers = await runInDurableObject(limiter, (instance) =>
      Promise.all(Array.from({ length: 20 }, () => instance.allow(limit, 0))),
    )
    expect(answers.filter(Boolean)).toHaveLength(3)
  })

  it('should keep no more rows than the limit', async () => {
    const limiter = newObject(env.RATE_LIMITER)
    for (let time = 0; time < 5000; time += 100) {
      await limiter.allow(limit, time)
    }
    const rows = await runInDurableObject(limiter, (_, { storage }) =>
      storage.sql.exec('select count(*) as count from request').one(),
    )
    expect(rows).toEqual({ count: 3 })
  })

  it('should remember requests when the object is evicted', async () => {
    const limiter = newObject(env.RATE_LIMITER)
    await Promise.all([1, 2, 3].map((time) => limiter.allow(limit, time)))
    await evictDurableObject(limiter)
    expect(await limiter.allow(limit, 4)).toBe(false)
  })
})

/** The usual version: the table is made by a method of its own, and every request is recorded. */
class UsualRateLimiter {
  readonly #sql: SqlStorage

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql
  }

  initialize(): void {
    this.#sql.exec('create table if not exists request (at integer not null)')
  }

  async allow(now: number): Promise<boolean> {
    this.#sql.exec('insert into request values (?)', now)
    const { count } = this.#sql
      .exec('select count(*) as count from request where at > ?', now - limit.window)
      .one()
    return Number(count) <= limit.requests
  }
}

describe('a rate limiter that records every request', () => {
  it('should fail at the first request of an object that nobody has initialized', () =>
    inEmptyObject(async (storage) => {
      await expect(new UsualRateLimiter(storage).allow(0)).rejects.toThrow(
        'no such table: request: SQLITE_ERROR',
      )
    }))

  it('should never let a client in that tries again too early, and grow for ever', () =>
    inEmptyObject(async (storage) => {
      const limiter = new UsualRateLimiter(storage)
      limiter.initialize()
      const answers: boolean[] = []
      for (let time = 0; time < 5000; time += 100) {
        answers.push(await limiter.allow(time))
      }
      expect(answers.filter(Boolean)).toHaveLength(3)
      expect(storage.sql.exec('select count(*) as count from request').one()).toEqual({ count: 50 })
    }))
})
