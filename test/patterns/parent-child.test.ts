import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import type { Document, Workspace } from '../../examples/patterns/src/patterns/parent-child.js'
import { env, inEmptyObject, newObject, tables } from './harness.js'

async function children(
  workspace: DurableObjectStub<Workspace>,
): Promise<DurableObjectStub<Document>[]> {
  const documents = await workspace.documents()
  return documents.map(({ id }) => env.DOCUMENT.get(env.DOCUMENT.idFromString(id)))
}

describe('Workspace', () => {
  it('should create a document, which knows its title', async () => {
    const workspace = newObject(env.WORKSPACE)
    expect(await workspace.create('Plan')).toBe('ready')
    const [child] = await children(workspace)
    expect(await child!.title()).toBe('Plan')
  })

  it('should leave no orphan when the title is taken', async () => {
    const workspace = newObject(env.WORKSPACE)
    await workspace.create('Plan')
    const created = vi.spyOn(env.DOCUMENT, 'get')
    await runInDurableObject(workspace, (instance) =>
      expect(instance.create('Plan')).rejects.toThrow('UNIQUE constraint failed'),
    )
    expect(created).not.toHaveBeenCalled()
    created.mockRestore()
    expect(await workspace.documents()).toHaveLength(1)
  })

  it('should finish a document whose object could not be reached at once', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue()
    const get = vi.spyOn(env.DOCUMENT, 'get').mockImplementationOnce(() => {
      throw new Error('Network connection lost.')
    })
    const workspace = newObject(env.WORKSPACE)
    expect(await workspace.create('Plan')).toBe('creating')
    get.mockRestore()
    log.mockRestore()
    const [document] = await workspace.documents()
    expect(document).toEqual({ id: expect.any(String), state: 'creating', title: 'Plan' })

    await evictDurableObject(workspace)
    expect(await runDurableObjectAlarm(workspace)).toBe(true)
    expect(await workspace.documents()).toEqual([{ ...document, state: 'ready' }])
    const [child] = await children(workspace)
    expect(await child!.title()).toBe('Plan')
  })

  it('should delete a document with its object', async () => {
    const workspace = newObject(env.WORKSPACE)
    await workspace.create('Plan')
    const [child] = await children(workspace)
    await workspace.delete('Plan')
    expect(await workspace.documents()).toEqual([])
    await runInDurableObject(child!, (_, { storage }) => expect(tables(storage)).toEqual([]))
  })

  it('should delete a document that is being created', () =>
    runInDurableObject(newObject(env.WORKSPACE), async (workspace) => {
      let deleted: Promise<void> | undefined
      const child = newObject(env.DOCUMENT)
      const get = vi.spyOn(env.DOCUMENT, 'get').mockReturnValue(child)
      const initialize = vi.spyOn(child, 'initialize').mockImplementationOnce(async () => {
        deleted = workspace.delete('Plan')
        await vi.waitFor(async () => {
          expect(await workspace.documents()).toMatchObject([{ state: 'deleting' }])
        })
      })
      await workspace.create('Plan')
      await deleted
      expect(initialize).toHaveBeenCalledOnce()
      get.mockRestore()
      expect(await workspace.documents()).toEqual([])
    }))
})

describe('Document', () => {
  it('should take being initialized twice as once', async () => {
    const document = newObject(env.DOCUMENT)
    await document.initialize('Plan')
    await document.initialize('Plan B')
    expect(await document.title()).toBe('Plan')
  })

  it('should take being destroyed twice as once', async () => {
    const document = newObject(env.DOCUMENT)
    await document.initialize('Plan')
    await document.destroy()
    await document.destroy()
    await runInDurableObject(document, (_, { storage }) => expect(tables(storage)).toEqual([]))
  })
})

describe('a parent that creates the child first and writes it down second', () => {
  it('should leave an orphan when the second write fails', () =>
    inEmptyObject(async ({ sql }) => {
      sql.exec('create table document (title text primary key, id text not null)')
      async function create(title: string): Promise<DurableObjectStub<Document>> {
        const child = newObject(env.DOCUMENT)
        await child.initialize(title)
        created.push(child)
        sql.exec('insert into document values (?, ?)', title, child.id.toString())
        return child
      }
      const created: DurableObjectStub<Document>[] = []
      await create('Plan')
      await expect(create('Plan')).rejects.toThrow('UNIQUE constraint failed')

      expect(sql.exec('select count(*) as known from document').one()).toEqual({ known: 1 })
      expect(await Promise.all(created.map((child) => child.title()))).toEqual(['Plan', 'Plan'])
    }))
})
