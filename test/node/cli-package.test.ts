import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { tarball } from './tarball.ts'
import { type DevServer, startWranglerDev } from './wrangler-dev.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/typed-schema')

/** A project of its own, with the example's Worker and the packed package. */
let project: string
let server: DevServer | undefined

interface Result {
  readonly status: number | null
  readonly output: string
}

function run(command: string): Result {
  const [file = '', ...args] = command.split(' ')
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: project, encoding: 'utf8' })
  // npm may have warnings of its own about the machine's configuration.
  return { status, output: (stdout + stderr).replace(/^npm warn .*\n/gm, '') }
}

/** The packed program. */
function program(command: string): Result {
  return run(`${process.execPath} ${join(project, BIN)} ${command}`)
}

const BIN = 'node_modules/kysely-durable-sqlite/bin/kysely-durable-sqlite.js'

/** Against the local state. What the example's scripts do goes by the schema alone. */
function verify(): Result {
  return run('npx --offline kysely-durable-sqlite generate . --class HelpDesk --verify')
}

/** How often the state is read while the Worker writes to it. */
const READS = Number(process.env['STATE_READS'] ?? 4)

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'typed-schema-'))
  cpSync(join(example, 'src'), join(project, 'src'), { recursive: true })
  for (const name of ['wrangler.jsonc', 'kysely-durable-sqlite.jsonc']) {
    cpSync(join(example, name), join(project, name))
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const { status, output } = run(
    `npm install --offline --no-audit --no-fund ${tarball} ${join(root, 'node_modules/kysely')}`,
  )
  if (status !== 0) {
    throw new Error(output)
  }
  symlinkSync(join(root, 'node_modules/wrangler'), join(project, 'node_modules/wrangler'))
}, 120_000)

afterAll(async () => {
  await server?.stop()
  rmSync(project, { recursive: true })
})

it(
  'should verify the generated file against what the Worker leaves, running and stopped',
  { timeout: 120_000 },
  async () => {
    expect(verify()).toEqual({
      status: 2,
      output: expect.stringMatching(/^There is no database of a Durable Object in /),
    })

    server = await startWranglerDev(project)
    const { url } = server
    for (const version of ['before', 'after']) {
      const tickets = `${url}/${version}/tickets`
      const opened = await fetch(tickets, {
        method: 'POST',
        body: JSON.stringify({ subject: 'Help', author: 'Ada', body: 'It does not work.' }),
      })
      expect(await opened.json()).toBe(1)
      expect(await (await fetch(tickets)).json()).toEqual([
        { id: 1, subject: 'Help', isUrgent: false, messages: 1 },
      ])
      const close = async (): Promise<unknown> =>
        (await fetch(`${tickets}/1`, { method: 'DELETE' })).json()
      expect([await close(), await close()]).toEqual([true, false])
      expect(await (await fetch(tickets)).json()).toEqual([])
    }

    expect(verify()).toEqual({ status: 0, output: '' })
    // Both classes have the one schema.
    expect(program('generate . --verify')).toEqual({ status: 0, output: '' })
    expect(program('reset --class HelpDesk --yes')).toEqual({
      status: 2,
      output: expect.stringMatching(/ is open\. Stop `wrangler dev`/),
    })

    await server.stop()
    expect(verify()).toEqual({ status: 0, output: '' })
    writeFileSync(join(project, 'src/database.generated.ts'), '')
    expect(verify().status).toBe(1)
  },
)

it(
  'should verify the generated file, and check the project, without any state',
  { timeout: 120_000 },
  () => {
    cpSync(join(example, 'src'), join(project, 'src'), { recursive: true })
    expect(program('generate --verify')).toEqual({ status: 0, output: '' })
    expect(program('check')).toEqual({ status: 0, output: 'No findings.\n' })
    writeFileSync(join(project, 'src/database.generated.ts'), '')
    expect(program('check')).toEqual({
      status: 1,
      output:
        'src/database.generated.ts:1 The generated types are not what the migrations make. Run kysely-durable-sqlite generate.\n',
    })
  },
)

it(
  'should read the state while the Worker writes to it, rightly, and unnoticed by the Worker',
  { timeout: 300_000 },
  async () => {
    cpSync(join(example, 'src'), join(project, 'src'), { recursive: true })
    server = await startWranglerDev(project)
    const { url } = server
    const reading = new AbortController()
    let written = 0
    const write = async (): Promise<void> => {
      while (!reading.signal.aborted) {
        const response = await fetch(`${url}/after/tickets`, {
          method: 'POST',
          body: JSON.stringify({ subject: 'Help', author: 'Ada', body: 'It does not work.' }),
        })
        expect(await response.json()).toEqual(expect.any(Number))
        written++
      }
    }
    const writer = write()
    for (let i = 0; i < READS; i++) {
      const [types, status] = await Promise.all([
        promisify(execFile)(process.execPath, [BIN, 'generate', '.', '--verify'], { cwd: project }),
        promisify(execFile)(process.execPath, [BIN, 'status', '--class', 'HelpDesk', '--json'], {
          cwd: project,
        }),
      ])
      expect(types).toEqual({ stdout: '', stderr: '' })
      expect(JSON.parse(status.stdout)).toEqual([
        expect.objectContaining({ class: 'HelpDesk', name: 'main', tables: 3, error: null }),
      ])
    }
    reading.abort()
    await writer
    expect(written).toBeGreaterThan(READS)
    await server.stop()
    expect(program('reset --class HelpDesk --yes').status).toBe(0)
    expect(program('status').output).not.toContain('typed-schema-HelpDesk')
  },
)
