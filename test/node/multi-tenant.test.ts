import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { executablePath, launchBrowser } from './browser.ts'
import { actions } from '../../examples/multi-tenant/src/actions.ts'
import { type Application, buildApplication, Client, example } from './multi-tenant.ts'
import type { DevServer } from './wrangler-dev.ts'

if (executablePath === undefined) {
  console.warn('No Chromium is installed here, so examples/multi-tenant is not tried in one.')
}

let application: Application
let server: DevServer
let users = 0

beforeAll(async () => {
  application = await buildApplication()
  server = await application.start()
})

afterAll(async () => {
  await server.stop()
  await application[Symbol.asyncDispose]()
})

/** A user that has just signed up, and with it a tenant. */
function newUser(name = newName()): Promise<Client> {
  return Client.signUp(server.url, name)
}

function newName(): string {
  users += 1
  return `user${users}`
}

describe.concurrent('a tenant of examples/multi-tenant', () => {
  it('should have the tasks that its users add, with dates, booleans and lists', async () => {
    const ada = await newUser()
    const id = crypto.randomUUID()
    const task = await ada.act('addTask', {
      id,
      title: ' Compute <b>Bernoulli</b> numbers ',
      due_at: '2026-12-10T00:00:00.000Z',
      labels: ['engine', "it's"],
    })
    expect(task).toEqual({
      id,
      title: 'Compute <b>Bernoulli</b> numbers',
      done: false,
      due_at: '2026-12-10T00:00:00.000Z',
      labels: ['engine', "it's"],
      created_at: expect.stringMatching(/^20.*Z$/),
      updated_at: expect.stringMatching(/^20.*Z$/),
    })
    expect(await ada.tasks()).toEqual([task])
    const [status, page] = await ada.ask('GET', '/')
    expect(status).toBe(200)
    expect(page).toContain('<span>Compute &#60;b&#62;Bernoulli&#60;/b&#62; numbers</span>')
    expect(page).toContain('2026-12-10 engine it&#39;s')
    expect(page).not.toContain('<b>')
  })

  it('should add a task once that is sent twice, and say so of one that is done', async () => {
    const ada = await newUser()
    const args = { id: crypto.randomUUID(), title: 'Once' }
    const [first, second] = await Promise.all([ada.act('addTask', args), ada.act('addTask', args)])
    expect(second).toEqual(first)
    expect(await ada.tasks()).toEqual([first])
    const done = await ada.act<{ updated_at: string }>('completeTask', { id: args.id })
    expect(done).toEqual({ ...(first as object), done: true, updated_at: done.updated_at })
    expect(await ada.act('addTask', args)).toEqual(done)
  })

  it('should refuse what it is not asked properly, and say why', async () => {
    const ada = await newUser()
    const { id } = await ada.addTask('Stays')
    const before = await ada.tasks()
    const missing = crypto.randomUUID()
    const refusals = [
      ['/actions/addTask', { title: ' ' }, 'title: Invalid length: Expected >=1 but received 0'],
      ['/actions/addTask', { title: 1 }, 'title: Invalid type: Expected string but received 1'],
      [
        '/actions/addTask',
        { title: 'x', tenant: 'other' },
        'tenant: Invalid key: Expected never but received "tenant"',
      ],
      ['/actions/addTask', '{', 'The body is not JSON.'],
      ['/actions/completeTask', { id: missing }, `There is no task ${missing}.`],
      ['/actions/completeTasks', { ids: [id, missing] }, `There is no task ${missing}.`],
      ['/import', '{', 'A line is not JSON.'],
      ['/import', '{"id":1}', expect.stringContaining('tasks.0.id: Invalid type')],
    ] as const
    for (const [path, body, refusal] of refusals) {
      expect(await ada.ask('POST', path, body)).toEqual([400, { refusal }])
    }
    expect(await ada.tasks()).toEqual(before)
    expect(await ada.ask('POST', '/actions/constructor', {})).toEqual([
      404,
      { error: 'There is no such thing.' },
    ])
    expect(await ada.ask('GET', '/actions/addTask')).toEqual([
      404,
      { error: 'There is no such thing.' },
    ])
  })

  it('should answer nobody who is not signed in, and no page of another site', async () => {
    const nobody = new Client(server.url, 'better-auth.session_token=forged.token')
    const [, page] = await nobody.ask('GET', '/')
    expect(page).toContain('<form id="sign-in">')
    for (const [method, path] of [
      ['GET', '/export'],
      ['POST', '/import'],
      ['POST', '/actions/addTask'],
      ['DELETE', '/tenant'],
    ] as const) {
      expect(await nobody.ask(method, path)).toEqual([401, { error: 'Sign in.' }])
    }
    await expect(nobody.watch()).rejects.toThrow('The socket was refused.')
    const ada = await newUser()
    expect(
      await ada.ask('POST', '/actions/addTask', {}, { origin: 'https://evil.example' }),
    ).toEqual([403, { error: 'Not from another site.' }])
    await expect(ada.watch({ origin: 'https://evil.example' })).rejects.toThrow('refused')
  })

  it('should archive what is done, by an action and by a transaction of the Worker', async () => {
    const ada = await newUser()
    const live = await ada.watch()
    for (const path of ['/actions/archiveDone', '/archive']) {
      const done = await ada.addTask('Done')
      const open = await ada.addTask('Open')
      await ada.act('completeTask', { id: done.id })
      const told = (await live.until(1)).length
      expect(await ada.ask('POST', path, {})).toEqual([200, { value: 1 }])
      expect((await live.until(told + 1)).at(-1)).toEqual({ tasks: [], gone: [done.id] })
      expect(await ada.tasks()).toContainEqual(open)
      expect(await ada.ask('POST', path, {})).toEqual([200, { value: 0 }])
    }
    expect(await ada.tasks()).toHaveLength(2)
  })

  it('should be told to one that is watching what is committed, and nothing that was rolled back', async () => {
    const ada = await newUser()
    const first = await ada.addTask('First')
    const [one, other] = await Promise.all([ada.watch(), ada.watch()])
    expect(await one.until(1)).toEqual([{ tasks: [first], gone: [] }])
    one.send('Nobody listens to this.')
    expect(
      await ada.ask('POST', '/actions/completeTasks', { ids: [first.id, crypto.randomUUID()] }),
    ).toMatchObject([400, {}])
    const second = await ada.addTask('Second')
    const done = await ada.act('completeTask', { id: first.id })
    await ada.act('deleteTask', { id: second.id })
    const expected = [
      { tasks: [first], gone: [] },
      { tasks: [second], gone: [] },
      { tasks: [done], gone: [] },
      { tasks: [], gone: [second.id] },
    ]
    expect(await one.until(4)).toEqual(expected)
    expect(await other.until(4)).toEqual(expected)
    one.close()
    other.close()
  })

  it('should be counted by the directory, each change once', async () => {
    const ada = await newUser()
    const tasks = await Promise.all(Array.from({ length: 130 }, (_, i) => ada.addTask(`Task ${i}`)))
    await ada.act('completeTasks', { ids: tasks.slice(0, 20).map(({ id }) => id) })
    await expect
      .poll(async () => (await ada.ask('GET', '/'))[1], { timeout: 20_000 })
      .toMatch(/<small>20\d\d-\d\d-\d\d: 150 changes\. <\/small>/)
  })

  it('should be exported in a stream, and imported into a new tenant', async () => {
    const ada = await newUser()
    const lines = Array.from({ length: 1000 }, (_, i) => ({
      id: crypto.randomUUID(),
      title: `Task ${i} “${'ä'.repeat(i % 50)}”`,
      done: i % 3 === 0,
      due_at: i % 2 === 0 ? new Date(1e12 + i).toISOString() : null,
      labels: i % 5 === 0 ? ['a', '\n"'] : [],
      created_at: new Date(1.1e12 + i).toISOString(),
      updated_at: new Date(1.2e12 + i).toISOString(),
    })).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    expect(await ada.ask('POST', '/import', text)).toEqual([200, { value: 1000 }])
    expect(await ada.ask('POST', '/import', text)).toEqual([200, { value: 0 }])
    const download = await ada.send('GET', '/export')
    expect(download.headers.get('content-disposition')).toBe('attachment; filename="tasks.ndjson"')
    const exported = await download.text()
    expect(exported).toBe(text)
    const grace = await newUser()
    expect(await grace.ask('POST', '/import', exported)).toEqual([200, { value: 1000 }])
    expect(await grace.tasks()).toEqual(lines)
  })

  it('should take in who was invited, once', async () => {
    const [ada, grace, eve] = [await newUser(), await newUser(), await newUser()]
    const task = await ada.addTask('Ours')
    const code = await ada.act('invite', {})
    const before = await grace.watch()
    expect(await grace.ask('POST', '/join', { code })).toEqual([200, { value: true }])
    expect(await before.closed).toBe(4001)
    expect(await grace.tasks()).toEqual([task])
    expect(await eve.ask('POST', '/join', { code })).toEqual([200, { value: false }])
    expect(await eve.ask('POST', '/join', { code: crypto.randomUUID() })).toEqual([
      200,
      { value: false },
    ])
    expect(await eve.tasks()).toEqual([])
  })

  it('should hear no more once signed out', async () => {
    const ada = await newUser()
    const live = await ada.watch()
    expect((await ada.ask('POST', '/api/auth/sign-out', {}))[0]).toBe(200)
    expect(await live.closed).toBe(4001)
    expect(await ada.ask('GET', '/export')).toEqual([401, { error: 'Sign in.' }])
  })

  it('should leave nothing when it is deleted', async () => {
    const name = newName()
    const [ada, grace] = [await newUser(name), await newUser()]
    await ada.addTask('Gone')
    const kept = await grace.addTask('Kept')
    const live = await ada.watch()
    expect(await ada.ask('DELETE', '/tenant')).toEqual([200, { value: null }])
    expect(await live.closed).toBe(4001)
    expect(await ada.ask('GET', '/export')).toEqual([401, { error: 'Sign in.' }])
    expect(await grace.tasks()).toEqual([kept])
    await expect(Client.signIn(server.url, name)).rejects.toThrow('401')
    // Under the same address, but it is another tenant.
    const again = await newUser(name)
    expect(await again.tasks()).toEqual([])
  })

  it('should be filled by the demo, twice with the same', { timeout: 120_000 }, async () => {
    const demo = async (): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['demo.ts', server.url], { cwd: example }))
        .stdout
    const sums = (added: number, archived: number): string =>
      ['ada', 'grace', 'radia']
        .map((name) => `${name}@example.com  ${added} added, ${archived} archived, 1000 open\n`)
        .join('')
    const advice = `Sign in at ${server.url} with one of the addresses and the password "correct horse".\n`
    expect(await demo()).toBe(sums(1200, 200) + advice)
    expect(await demo()).toBe(sums(0, 0) + advice)
  })
})

describe.concurrent('another tenant of examples/multi-tenant', () => {
  it('should be out of reach by every route, whatever a client sends', async () => {
    const [ada, grace] = [await newUser(), await newUser()]
    const secret = await ada.addTask('Secret')
    const open = await ada.addTask('Secret and open')
    await ada.act('completeTask', { id: secret.id })
    const before = await ada.tasks()
    const watching = await ada.watch()
    await watching.until(1)
    const own = await grace.addTask('Own')
    const { id } = open
    const { tenantId, userId } = ada

    // For each route, what one would send to get at another tenant.
    const attempts: Record<string, readonly unknown[]> = {
      'GET /': [undefined],
      'GET /live': [undefined],
      'GET /export': [undefined],
      'POST /import': [JSON.stringify({ ...open, title: 'Taken' })],
      'POST /archive': [{ tenantId }],
      'POST /join': [{ code: crypto.randomUUID(), tenantId }, { code: tenantId }],
      'POST /actions/addTask': [
        { id, title: 'Taken', tenantId },
        { id, title: 'Taken' },
      ],
      'POST /actions/completeTask': [{ id }, { id, tenantId }],
      'POST /actions/completeTasks': [{ ids: [id] }, { ids: [id], tenantId }],
      'POST /actions/deleteTask': [{ id }, { id, tenantId }],
      'POST /actions/archiveDone': [{}, { tenantId }],
      'POST /actions/invite': [{ tenantId }],
      'DELETE /tenant': [{ tenantId }],
    }
    expect(Object.keys(attempts).toSorted()).toEqual(routes().toSorted())

    const forged = {
      'x-user': userId,
      'x-tenant': tenantId,
      'x-tenant-id': tenantId,
      'x-forwarded-user': userId,
    }
    const live = await grace.watch(forged)
    expect(await live.until(1)).toEqual([{ tasks: [own], gone: [] }])
    live.close()
    // The last one deletes the tenant of who sends it.
    for (const [route, bodies] of Object.entries(attempts)) {
      const [method = '', path = ''] = route.split(' ')
      for (const body of bodies) {
        const query = `${path}?tenant=${tenantId}&tenantId=${tenantId}&user=${userId}`
        const [, answer] = await grace.ask(method, query, body, forged)
        expect(JSON.stringify([route, answer])).not.toContain('Secret')
      }
      expect([route, await ada.tasks()]).toEqual([route, before])
    }
    expect(watching.messages).toHaveLength(1)
  })

  it('should not be given by better-auth either', async () => {
    const [ada, grace] = [await newUser(), await newUser()]
    await ada.addTask('Secret')
    const { tenantId } = ada
    const password = 'correct horse'
    for (const [path, body] of [
      ['sign-up/email', { name: 'Eve', email: 'eve@example.com', password, tenantId }],
      ['update-user', { tenantId }],
      ['update-user', { name: 'Grace', tenantId }],
      ['sign-in/email', { email: 'eve@example.com', password, tenantId }],
      ['update-session', { tenantId }],
    ] as const) {
      const [status] = await grace.ask('POST', `/api/auth/${path}`, body)
      expect([path, status]).not.toEqual([path, 200])
    }
    expect(await grace.tasks()).toEqual([])
    const [, session] = await grace.ask('GET', '/api/auth/get-session')
    expect(session).toMatchObject({ user: { tenantId: grace.tenantId } })
  })
})

/** As src/index.ts has them. */
function routes(): string[] {
  const source = readFileSync(`${example}/src/index.ts`, 'utf8')
  return [
    ...Array.from(source.matchAll(/case '([A-Z]+ [^']+)'/g), ([, route = '']) => route),
    ...Object.keys(actions).map((name) => `POST /actions/${name}`),
  ]
}

// It takes a browser, which npm does not install.
describe.skipIf(executablePath === undefined)('the page of examples/multi-tenant', () => {
  it('should show two browsers of one tenant the same list, live', async () => {
    const browser = await launchBrowser()
    try {
      const faults: string[] = []
      const open = async () => {
        const page = await (await browser.newContext()).newPage()
        page.on('pageerror', ({ message }) => faults.push(message))
        await page.goto(server.url)
        return page
      }
      const ada = await open()
      await ada.locator('#sign-up [name=name]').fill('Ada')
      await ada.locator('#sign-up [name=email]').fill('page@example.com')
      await ada.locator('#sign-up [name=password]').fill('correct horse')
      await ada.locator('#sign-up button').click()
      await ada.locator('ul[data-live]').waitFor({ state: 'attached' })
      expect(await ada.locator('h1').innerText()).toBe("Ada's team")

      const other = await open()
      await other.locator('#sign-in [name=email]').fill('page@example.com')
      await other.locator('#sign-in [name=password]').fill('wrong horse')
      await other.locator('#sign-in button').click()
      await other.locator('output:has-text("Invalid")').waitFor()
      await other.locator('#sign-in [name=password]').fill('correct horse')
      await other.locator('#sign-in button').click()
      await other.locator('ul[data-live]').waitFor({ state: 'attached' })

      await ada.locator('[name=title]').fill('<i>Weave</i>')
      await ada.locator('[name=due_at]').fill('2026-12-24')
      await ada.locator('#add button').click()
      await other.locator('li').waitFor()
      expect(await other.locator('li').innerText()).toBe('Done <i>Weave</i> 2026-12-24')
      await other.reload()
      await other.locator('ul[data-live]').waitFor({ state: 'attached' })
      expect(await other.locator('li').innerText()).toBe('Done <i>Weave</i> 2026-12-24')

      await other.locator('li button').click()
      await ada.locator('li').waitFor({ state: 'detached' })
      await ada.locator('#archive-done').click()
      await ada.locator('output:has-text("1 archived.")').waitFor()
      await ada.locator('#sign-out').click()
      await ada.locator('#sign-in').waitFor()
      expect(faults).toEqual([])
    } finally {
      await browser.close()
    }
  })
})
