import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { buildApplication, Client } from './multi-tenant.ts'

const CLIENTS_OF_EACH = [7, 7, 6]
const STEPS = 15
/** How many requests are answered before the process is killed, each time. */
const KILL_AFTER = [80, 100]

/** A tenant, and what its clients were told. */
class Tenant {
  readonly name: string
  readonly clients: { readonly number: number; step: number }[]
  cookie = ''
  /** The titles of tasks whose adding was acknowledged, by id. */
  readonly added = new Map<string, string>()
  readonly completed = new Set<string>()
  readonly deleted = new Set<string>()
  /** Tasks that someone asked to change. A process that is killed does not say whether it did. */
  readonly touched = new Set<string>()
  /** The titles that its sockets were told of. */
  readonly heard: string[] = []

  constructor(name: string, clients: number) {
    this.name = name
    this.clients = Array.from({ length: clients }, (_, number) => ({ number, step: 0 }))
  }

  owns(title: string): boolean {
    return title.startsWith(`${this.name} `)
  }
}

it(
  'should keep every acknowledged change once, and each tenant to itself, under load and SIGKILL',
  { timeout: 120_000 },
  async () => {
    await using application = await buildApplication()
    const tenants = ['ada', 'grace', 'radia'].map(
      (name, i) => new Tenant(name, CLIENTS_OF_EACH[i] ?? 0),
    )
    for (const killAfter of [...KILL_AFTER, Infinity]) {
      await runUntilKilled(application, tenants, killAfter)
    }
    const stored = readTenants(application.state)
    for (const tenant of tenants) {
      const { name, added, completed, deleted, touched, heard } = tenant
      const { open, done, archived, changes, counted } = stored.find(
        (database) => database.name === name,
      )!
      const everything = [...open, ...done, ...archived]
      const titles = everything.map(({ title }) => title)
      expect(titles.filter((title) => !tenant.owns(title))).toEqual([])
      expect(new Set(titles).size).toBe(titles.length)

      const isIn = (tasks: readonly StoredTask[], id: string): boolean =>
        tasks.some((task) => task.id === id)
      const lost = [...added.keys()].filter((id) => !touched.has(id) && !isIn(open, id))
      expect(lost).toEqual([])
      expect([...completed].filter((id) => !isIn([...done, ...archived], id))).toEqual([])
      expect([...deleted].filter((id) => isIn(everything, id))).toEqual([])
      expect(counted).toBe(changes)

      expect(heard.filter((title) => !tenant.owns(title))).toEqual([])
      expect([added.size > 15, completed.size > 1, deleted.size > 1, heard.length > 15]).toEqual([
        true,
        true,
        true,
        true,
      ])
    }
    expect(stored).toHaveLength(tenants.length)
  },
)

/** Starts the application and sends requests as all clients at once, until it is killed or all are done. */
async function runUntilKilled(
  application: Awaited<ReturnType<typeof buildApplication>>,
  tenants: readonly Tenant[],
  killAfter: number,
): Promise<void> {
  const server = await application.start()
  let answers = 0
  let killed: Promise<void> | undefined
  const work = async (tenant: Tenant): Promise<void> => {
    if (tenant.cookie === '') {
      tenant.cookie = (await Client.signUp(server.url, tenant.name)).cookie
    }
    const browser = new Client(server.url, tenant.cookie)
    const live = await browser.watch()
    const added = [...tenant.added.keys()]
    await Promise.all(
      tenant.clients.map(async (client) => {
        while (client.step < STEPS && killed === undefined) {
          const step = client.step++
          try {
            await act(browser, tenant, client.number, step)
          } catch (error) {
            if (killed === undefined) {
              throw error
            }
          }
          answers++
          if (answers >= killAfter) {
            killed ??= server.stop('SIGKILL')
          }
        }
      }),
    )
    if (killed === undefined) {
      // The alarms count, and the sockets are told of the last.
      await wait(3000)
      const told = live.messages.flatMap(({ tasks, gone }) => [
        ...tasks.map(({ id }) => id),
        ...gone,
      ])
      const acknowledged = [...tenant.added.keys()].filter((id) => !added.includes(id))
      assert.deepEqual(
        acknowledged.filter((id) => !told.includes(id)),
        [],
      )
    }
    tenant.heard.push(...live.messages.flatMap(({ tasks }) => tasks.map(({ title }) => title)))
  }
  try {
    await Promise.all(tenants.map(work))
  } finally {
    await (killed ?? server.stop())
  }
}

/** One request of a client, by turns. */
async function act(browser: Client, tenant: Tenant, client: number, step: number): Promise<void> {
  const prefix = `${tenant.name} ${client} `
  const [own] = [...tenant.added].filter(
    ([id, title]) => title.startsWith(prefix) && !tenant.touched.has(id),
  )
  const id = own?.[0] ?? crypto.randomUUID()
  switch ((client + step) % 10) {
    case 0:
      if (own !== undefined) {
        tenant.touched.add(id)
        await browser.act('completeTask', { id })
        tenant.completed.add(id)
      }
      return
    case 1: {
      // The second is not there, so the first is not completed either.
      const ids = [id, crypto.randomUUID()]
      const [status] = await browser.ask('POST', '/actions/completeTasks', { ids })
      assert.equal(status, 400)
      return
    }
    case 2:
      await browser.act('archiveDone', {})
      return
    case 3: {
      const [status] = await browser.ask('POST', '/archive', {})
      assert.equal(status, 200)
      return
    }
    case 4: {
      const tasks = await browser.tasks()
      assert.deepEqual(
        tasks.filter(({ title }) => !tenant.owns(title)),
        [],
      )
      return
    }
    case 5:
      tenant.touched.add(id)
      await browser.act('deleteTask', { id })
      tenant.deleted.add(id)
      return
    case 6: {
      const [status] = await browser.ask('GET', '/')
      assert.equal(status, 200)
      return
    }
    default: {
      const args = { id: crypto.randomUUID(), title: `${prefix}${step}` }
      // Twice at once, as by someone who did not wait for the answer.
      await Promise.all([browser.act('addTask', args), browser.act('addTask', args)])
      tenant.added.set(args.id, args.title)
    }
  }
}

interface StoredTask {
  readonly id: string
  readonly title: string
}

interface StoredTenant {
  readonly name: string
  readonly open: readonly StoredTask[]
  readonly done: readonly StoredTask[]
  readonly archived: readonly StoredTask[]
  /** How many changes it has ever had. */
  readonly changes: unknown
  /** How many the directory has counted. */
  readonly counted: unknown
}

/** From the files that workerd left, without the application. */
function readTenants(state: string): StoredTenant[] {
  const open = (className: string): DatabaseSync[] =>
    globSync(`${state}/**/*-${className}/*.sqlite`)
      .filter((file) => !file.endsWith('metadata.sqlite'))
      .map((file) => new DatabaseSync(file, { readOnly: true }))
  const usage = open('Directory').flatMap((directory) =>
    directory
      .prepare(
        `select tenant.name, sum(changes) as changes
         from tenant join usage on tenant_id = tenant.id group by tenant.id`,
      )
      .all(),
  )
  return open('Tenant').map((database) => {
    const tasks = (sql: string): StoredTask[] =>
      database.prepare(sql).all() as unknown as StoredTask[]
    const done = tasks('select id, title from task where done = 1')
    const archived = tasks('select id, title from archived_task')
    const stillOpen = tasks('select id, title from task where done = 0')
    const [name = ''] = stillOpen[0]?.title.split(' ') ?? []
    return {
      name,
      open: stillOpen,
      done,
      archived,
      changes: database.prepare("select seq from sqlite_sequence where name = 'change'").get()?.[
        'seq'
      ],
      counted: usage.find((row) => row['name'] === `${name}'s team`)?.['changes'],
    }
  })
}
