import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import type { Notes } from './notes.js'

declare global {
  namespace Cloudflare {
    interface Env {
      NOTES: DurableObjectNamespace<Notes>
    }
  }
}

function newNotes(): DurableObjectStub<Notes> {
  return env.NOTES.getByName(crypto.randomUUID())
}

/** Runs the body inside an agent that has started. */
async function inNotes<T>(
  body: (notes: Notes, storage: DurableObjectStorage) => Promise<T>,
): Promise<T> {
  const stub = newNotes()
  await stub.texts()
  return runInDurableObject(stub, (notes, { storage }) => body(notes, storage))
}

const undone = new Error('undone')

it('should keep rows and state when the agent is evicted', async () => {
  const stub = newNotes()
  await stub.add('Buy milk')
  await evictDurableObject(stub)
  expect(await stub.texts()).toEqual(['Buy milk'])
  expect(await runInDurableObject(stub, ({ state }) => state)).toEqual({ last: 'Buy milk' })
})

it('should list the tables of the agent beside its own', () =>
  inNotes(async ({ db }) => {
    const tables = await db.introspection.getTables()
    const names = tables.map(({ name }) => name)
    expect(names).toContain('note')
    expect(names.filter((name) => !name.startsWith('cf_'))).toEqual(['note'])
    expect(names).toContain('cf_agents_state')
  }))

it('should find the tables of onStart in async methods, and not in others that come first', async () => {
  await runInDurableObject(newNotes(), (notes) =>
    expect(notes.textsAtOnce()).rejects.toThrow('no such table: note'),
  )
  const stub = newNotes()
  expect(await stub.texts()).toEqual([])
  expect(await stub.textsAtOnce()).toEqual([])
})

it('should undo what this.sql wrote, with the transaction', () =>
  inNotes(async (notes) => {
    const transaction = notes.db.transaction().execute(async (trx) => {
      await trx.insertInto('note').values({ text: 'a' }).execute()
      void notes.sql`insert into note (text) values (${'b'})`
      expect(await trx.selectFrom('note').select('text').execute()).toEqual([
        { text: 'a' },
        { text: 'b' },
      ])
      throw undone
    })
    await expect(transaction).rejects.toBe(undone)
    expect(notes.sql`select * from note`).toEqual([])
  }))

it('should undo the row of setState() with the transaction, and not this.state and what clients are sent', async () => {
  const stub = newNotes()
  await stub.add('Buy milk')
  const { webSocket } = await stub.fetch('http://agent/', { headers: { upgrade: 'websocket' } })
  const sent = statesSentTo(webSocket!)
  await runInDurableObject(stub, async (notes) => {
    const transaction = notes.db.transaction().execute(async () => {
      notes.setState({ last: 'Buy bread' })
      throw undone
    })
    await expect(transaction).rejects.toBe(undone)
    expect(notes.state).toEqual({ last: 'Buy bread' })
  })
  await expect
    .poll(() => sent, { timeout: 20_000 })
    .toEqual([{ last: 'Buy milk' }, { last: 'Buy bread' }])
  await evictDurableObject(stub)
  expect(await runInDurableObject(stub, ({ state }) => state)).toEqual({ last: 'Buy milk' })
})

/** The states in the messages that arrive, as they arrive. */
function statesSentTo(socket: WebSocket): unknown[] {
  const states: unknown[] = []
  socket.addEventListener('message', ({ data }) => {
    const { type, state } = JSON.parse(String(data)) as { type: string; state: unknown }
    if (type === 'cf_agent_state') {
      states.push(state)
    }
  })
  socket.accept()
  return states
}

it('should undo schedule() and its alarm with the transaction', () =>
  inNotes(async (notes, storage) => {
    const alarm = await storage.getAlarm()
    const transaction = notes.db.transaction().execute(async () => {
      await notes.schedule(60, 'remind')
      throw undone
    })
    await expect(transaction).rejects.toBe(undone)
    expect(await storage.getAlarm()).toBe(alarm)
    expect(notes.getSchedules()).toEqual([])
    await notes.db.transaction().execute(() => notes.schedule(60, 'remind'))
    expect(notes.getSchedules()).toHaveLength(1)
    expect(await storage.getAlarm()).not.toBe(alarm)
  }))
