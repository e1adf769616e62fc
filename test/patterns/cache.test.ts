import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject } from './harness.js'

describe('Settings', () => {
  it('should lose no change of those that are made at once', async () => {
    const settings = newObject(env.SETTINGS)
    await Promise.all(['a', 'b', 'c', 'd'].map((text) => settings.append('letters', text)))
    const letters = await settings.read('letters')
    expect(letters?.split('').toSorted()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('should read a row once', () =>
    runInDurableObject(newObject(env.SETTINGS), (settings, { storage }) => {
      settings.append('theme', 'dark')
      storage.sql.exec('delete from setting')
      expect(settings.read('theme')).toBe('dark')
      expect(settings.read('language')).toBeUndefined()
    }))

  it('should have after eviction what it had before', async () => {
    const settings = newObject(env.SETTINGS)
    await settings.writeAll({ theme: 'dark', language: 'en' })
    await evictDurableObject(settings)
    expect(await settings.read('theme')).toBe('dark')
    expect(await settings.read('language')).toBe('en')
  })

  it('should not take over what could not be written', () =>
    runInDurableObject(newObject(env.SETTINGS), (settings, { storage }) => {
      settings.writeAll({ theme: 'dark' })
      storage.sql.exec(
        "create trigger broken before insert on setting when new.name = 'language' begin select raise(abort, 'disk on fire'); end",
      )
      expect(() => settings.writeAll({ theme: 'light', language: 'en' })).toThrow('disk on fire')
      expect(settings.read('theme')).toBe('dark')
      expect(settings.read('language')).toBeUndefined()
      expect(() => settings.append('language', 'en')).toThrow('disk on fire')
      expect(settings.read('language')).toBeUndefined()
    }))
})

/** The usual version: it asks someone between reading and writing, and the cache comes first. */
class UsualSettings {
  readonly #storage: DurableObjectStorage
  readonly #cache = new Map<string, string>()

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    storage.sql.exec(
      'create table if not exists setting (name text primary key, value text check (length(value) < 3))',
    )
  }

  read(name: string): string | undefined {
    return this.#cache.get(name)
  }

  async append(name: string, text: string, mayAppend: () => Promise<void>): Promise<void> {
    const value = this.#cache.get(name) ?? ''
    await mayAppend()
    this.#cache.set(name, value + text)
    this.#storage.sql.exec('insert or replace into setting values (?, ?)', name, value + text)
  }
}

describe('a cache with an await between reading and writing', () => {
  it('should lose changes that are made at once', () =>
    inEmptyObject(async (storage) => {
      const settings = new UsualSettings(storage)
      const counter = newObject(env.COUNTER)
      const askAnotherObject = async () => void (await counter.read('nothing'))
      await Promise.all(
        ['a', 'b'].map((text) => settings.append('letters', text, askAnotherObject)),
      )
      expect(settings.read('letters')).toMatch(/^[ab]$/)
    }))

  it('should go on with what was never stored', () =>
    inEmptyObject(async (storage) => {
      const settings = new UsualSettings(storage)
      await expect(settings.append('letters', 'abc', () => Promise.resolve())).rejects.toThrow(
        'CHECK constraint failed',
      )
      expect(settings.read('letters')).toBe('abc')
      expect(storage.sql.exec('select * from setting').toArray()).toEqual([])
    }))
})
