import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject } from './harness.js'

describe('Cursors', () => {
  it('should write the last position of each user, as one row each', async () => {
    const cursors = newObject(env.CURSORS)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => cursors.move(i % 2 ? 'ada' : 'grace', i)),
    )
    expect(await cursors.positions()).toEqual({ ada: 99, grace: 98 })
    expect(await cursors.rowsWritten()).toBeLessThan(100)
  })

  it('should write one row each for changes that are made at once', () =>
    runInDurableObject(newObject(env.CURSORS), async (cursors) => {
      const before = cursors.rowsWritten()
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => cursors.move(i % 2 ? 'ada' : 'grace', i)),
      )
      expect(cursors.rowsWritten() - before).toBe(2)
    }))

  it('should have stored a position before it is answered for', () =>
    runInDurableObject(newObject(env.CURSORS), async (cursors, { storage }) => {
      const move = cursors.move('ada', 1)
      expect(storage.sql.exec('select * from cursor').toArray()).toEqual([])
      await move
      expect(storage.sql.exec('select * from cursor').toArray()).toEqual([
        { user: 'ada', position: 1 },
      ])
    }))

  it('should take what is changed during a write for the next one', () =>
    runInDurableObject(newObject(env.CURSORS), async (cursors) => {
      await Promise.all([
        cursors.move('ada', 1),
        cursors.move('ada', 2).then(() => cursors.move('ada', 3)),
      ])
      expect(await cursors.positions()).toEqual({ ada: 3 })
    }))

  it('should tell everyone who waits that the write failed', () =>
    runInDurableObject(newObject(env.CURSORS), async (cursors, { storage }) => {
      storage.sql.exec(
        "create trigger broken before insert on cursor begin select raise(abort, 'disk on fire'); end",
      )
      const moves = await Promise.allSettled([cursors.move('ada', 1), cursors.move('grace', 2)])
      expect(moves.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(await cursors.positions()).toEqual({})

      storage.sql.exec('drop trigger broken')
      await cursors.move('ada', 3)
      expect(await cursors.positions()).toEqual({ ada: 3 })
    }))
})

/** The usual version: it answers at once and writes later, from a map that it empties first. */
class UsualCursors {
  readonly #storage: DurableObjectStorage
  readonly #pending = new Map<string, number>()

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  move(user: string, position: number): void {
    this.#pending.set(user, position)
  }

  async flush(): Promise<void> {
    const rows = [...this.#pending]
    this.#pending.clear()
    for (const [user, position] of rows) {
      this.#storage.sql.exec('insert or replace into cursor values (?, ?)', user, position)
    }
  }
}

describe('coalescing that answers before it writes', () => {
  it('should lose what it has answered for when a write fails', () =>
    inEmptyObject(async (storage) => {
      storage.sql.exec(
        'create table cursor (user text primary key, position integer check (position >= 0))',
      )
      const cursors = new UsualCursors(storage)
      cursors.move('ada', -1)
      cursors.move('grace', 2)
      await expect(cursors.flush()).rejects.toThrow('CHECK constraint failed')
      await cursors.flush()
      expect(storage.sql.exec('select * from cursor').toArray()).toEqual([])
    }))

  it('should lose what it has answered for when the object is evicted', () =>
    inEmptyObject(async (storage) => {
      storage.sql.exec('create table cursor (user text primary key, position integer)')
      new UsualCursors(storage).move('ada', 1)
      // What is left after eviction is the storage, and another instance.
      await new UsualCursors(storage).flush()
      expect(storage.sql.exec('select * from cursor').toArray()).toEqual([])
    }))
})
