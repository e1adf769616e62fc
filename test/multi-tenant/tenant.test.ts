import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { archiveDone } from '../../examples/multi-tenant/src/tenant/archive-done.js'
import { withDatabase } from '../../examples/multi-tenant/src/tenant/remote.js'
import { directory, env, newTenant, query, signUp } from './harness.js'

describe('the object of a tenant', () => {
  it('should check the arguments itself, whoever calls it', async () => {
    const tenant = newTenant()
    expect(await tenant.addTask({ title: '' })).toEqual({
      refusal: 'title: Invalid length: Expected >=1 but received 0',
    })
    expect(await tenant.completeTask({ id: "' or 1" })).toMatchObject({
      refusal: expect.stringContaining('id: Invalid UUID'),
    })
    expect(await tenant.importTasks(undefined)).toMatchObject({
      refusal: expect.stringContaining('Invalid type'),
    })
    expect(await query(tenant, 'select * from task')).toEqual([])
  })

  it('should complete all of some tasks or, if one is missing, none', async () => {
    const tenant = newTenant()
    const answer = await tenant.addTask({ title: 'There' })
    const { id } = 'value' in answer ? answer.value : { id: '' }
    const missing = crypto.randomUUID()
    expect(await tenant.completeTasks({ ids: [id, missing] })).toEqual({
      refusal: `There is no task ${missing}.`,
    })
    expect(await query(tenant, 'select done from task')).toEqual([{ done: 0 }])
    expect(await query(tenant, 'select count(*) as n from change')).toEqual([{ n: 1 }])
  })

  it('should serve actions, transactions and those of the Worker at once', async () => {
    const tenant = newTenant()
    const name = tenant.name!
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        switch (i % 4) {
          case 0:
            return tenant.archiveDone({})
          case 1:
            return withDatabase(() => env.TENANT.getByName(name), archiveDone)
          case 2:
            return tenant.announce()
          default:
            return tenant.addTask({ title: `Task ${i}` })
        }
      }),
    )
    expect(answers.filter((_, i) => i % 4 === 3)).toHaveLength(10)
    expect(await query(tenant, 'select count(*) as n from task')).toEqual([{ n: 10 }])
  })

  it('should answer 500 and nothing more where the program is at fault', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    const user = await signUp()
    await query(env.TENANT.getByName(user.tenantId), 'drop table task')
    const response = await user.send('POST', '/actions/addTask', { title: 'x' })
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'Something went wrong.' },
    ])
    expect(String(log.mock.calls[0]![0])).toContain('no such table')
    log.mockRestore()
  })

  it('should tell a socket that it kept while it slept', async () => {
    const tenant = newTenant()
    await tenant.addTask({ title: 'First' })
    const response = await tenant.fetch('http://tenant/live', {
      headers: { upgrade: 'websocket', 'x-user': 'ada' },
    })
    const socket = response.webSocket!
    const titles: string[][] = []
    socket.addEventListener('message', ({ data }) => {
      const { tasks } = JSON.parse(String(data)) as { tasks: { title: string }[] }
      titles.push(tasks.map(({ title }) => title))
    })
    socket.accept()
    await evictDurableObject(tenant)
    await tenant.addTask({ title: 'Second' })
    await expect.poll(() => titles).toEqual([['First'], ['Second']])
    socket.close()
  })
})

describe('the queue of changes', () => {
  it('should be counted once, though a batch is sent again', async () => {
    const { tenantId } = await signUp()
    const at = new Date('2026-11-21T23:59:59Z')
    const late = new Date('2026-11-22T00:00:00Z')
    const batch = [
      { seq: 1, at },
      { seq: 2, at },
    ]
    await directory().countChanges(tenantId, batch)
    await directory().countChanges(tenantId, batch)
    await directory().countChanges(tenantId, [...batch, { seq: 3, at }, { seq: 4, at: late }])
    expect(await directory().usage(tenantId)).toEqual([
      { day: '2026-11-22', changes: 1 },
      { day: '2026-11-21', changes: 3 },
    ])
  })

  it('should be worked through by an alarm, in batches, and be empty then', async () => {
    const { tenantId, send } = await signUp()
    const tenant = env.TENANT.getByName(tenantId)
    const tasks = Array.from({ length: 250 }, (_, i) => ({
      id: crypto.randomUUID(),
      title: `Task ${i}`,
      done: false,
      due_at: null,
      labels: [],
      created_at: '2026-11-21T00:00:00.000Z',
      updated_at: '2026-11-21T00:00:00.000Z',
    }))
    expect(await tenant.importTasks({ tasks })).toEqual({ value: 250 })
    expect((await send('GET', '/export')).status).toBe(200)
    expect(await runDurableObjectAlarm(tenant)).toBe(true)
    expect(await query(tenant, 'select * from change')).toEqual([])
    const [usage] = await directory().usage(tenantId)
    expect(usage).toMatchObject({ changes: 250 })
  })

  it('should find its alarm again when the object wakes with something queued', async () => {
    const tenant = newTenant()
    await tenant.addTask({ title: 'Queued' })
    await runInDurableObject(tenant, (_, { storage }) => storage.deleteAlarm())
    await evictDurableObject(tenant)
    expect(await runInDurableObject(tenant, (_, { storage }) => storage.getAlarm())).toEqual(
      expect.any(Number),
    )
  })
})

describe('the deletion of a tenant', () => {
  it('should be finished by the alarm if it was interrupted', async () => {
    const { tenantId, send } = await signUp()
    expect((await send('POST', '/actions/addTask', { title: 'Gone' })).status).toBe(200)
    const tenant = env.TENANT.getByName(tenantId)
    await query(directory(), 'update tenant set deleted_at = 1 where id = ?', tenantId)
    expect((await send('GET', '/export')).status).toBe(401)
    await runInDurableObject(directory(), (_, { storage }) => storage.setAlarm(Date.now() + 60_000))
    expect(await runDurableObjectAlarm(directory())).toBe(true)
    const tables = "select name from sqlite_master where name in ('task', 'change')"
    expect(await query(tenant, tables)).toEqual([])
    for (const [table, column] of [
      ['user', 'tenantId'],
      ['invitation', 'tenant_id'],
      ['usage', 'tenant_id'],
      ['tenant', 'id'],
    ]) {
      const rows = `select * from ${table} where ${column} = ?`
      expect(await query(directory(), rows, tenantId)).toEqual([])
    }
    expect(
      await query(directory(), 'select * from session where userId not in (select id from user)'),
    ).toEqual([])
  })
})
