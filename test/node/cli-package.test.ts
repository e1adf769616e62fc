import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
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

/** What `npm run verify` of the example does. */
function verify(): Result {
  return run(
    'npx --offline kysely-durable-sqlite generate --class HelpDesk --out src/database.generated.ts --verify',
  )
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'typed-schema-'))
  cpSync(join(example, 'src'), join(project, 'src'), { recursive: true })
  cpSync(join(example, 'wrangler.jsonc'), join(project, 'wrangler.jsonc'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
  })
  const tarball = packed.stdout.trim().split('\n').at(-1)!
  const { status, output } = run(
    `npm install --offline --no-audit --no-fund ${join(project, tarball)} ${join(root, 'node_modules/kysely')}`,
  )
  if (status !== 0) {
    throw new Error(output)
  }
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
    expect(run('npx --offline kysely-durable-sqlite generate')).toEqual({
      status: 2,
      output: expect.stringMatching(
        /^There are several classes in \.wrangler\/state\. Choose one with --class\.\n {2}typed-schema-HandWrittenHelpDesk {2}[0-9a-f]{64} {2}"main"\n {2}typed-schema-HelpDesk {2}[0-9a-f]{64} {2}"main"\n$/,
      ),
    })

    await server.stop()
    expect(verify()).toEqual({ status: 0, output: '' })
    writeFileSync(join(project, 'src/database.generated.ts'), '')
    expect(verify().status).toBe(1)
  },
)
