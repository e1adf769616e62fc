import { execFile } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'
import { quietWrangler, startVite } from './wrangler-dev.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const example = `${root}examples/multi-tenant`
const project = mkdtempSync(`${tmpdir()}/multi-tenant-copy-`)

const blocks = codeBlocks(
  'examples/multi-tenant/README.md',
  readFileSync(`${example}/README.md`, 'utf8'),
)

/** The lines of the block of the README with this flag, those that go on with a backslash as one. */
function lines(flag: string): string[] {
  const { code } = blocks.find(({ flags }) => flags.includes(flag))!
  return code
    .replaceAll('\\\n', '')
    .split('\n')
    .filter((line) => line !== '')
}

function sh(command: string): Promise<{ stdout: string; stderr: string }> {
  return run('sh', ['-c', command], { cwd: project, env: quietWrangler, maxBuffer: 2 ** 24 })
}

beforeAll(async () => {
  const leaveOut = new Set(['dist', 'node_modules', '.wrangler'])
  cpSync(example, project, {
    recursive: true,
    filter: (path) => !leaveOut.has(basename(path)),
  })
  // Its own, as they come from the migrations and the configuration.
  for (const generated of ['worker-configuration.d.ts', 'src/tenant/database.generated.ts']) {
    rmSync(`${project}/${generated}`)
  }
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

/** What `npm install` does, without asking a registry: the packed package, and the others as they are here. */
async function install(): Promise<void> {
  const modules = `${project}/node_modules`
  const own = 'kysely-durable-sqlite'
  mkdirSync(`${modules}/.bin`, { recursive: true })
  for (const name of readdirSync(`${root}node_modules`)) {
    if (name !== own && !name.startsWith('.')) {
      symlinkSync(`${root}node_modules/${name}`, join(modules, name))
    }
  }
  for (const name of readdirSync(`${root}node_modules/.bin`)) {
    if (name !== own) {
      symlinkSync(`${root}node_modules/.bin/${name}`, join(modules, '.bin', name))
    }
  }
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: root })
  await sh(`tar xzf ${own}-*.tgz && mv package node_modules/${own}`)
  symlinkSync(`../${own}/bin/${own}.js`, `${modules}/.bin/${own}`)
}

describe('the README of examples/multi-tenant, followed in a copy outside of the repository', () => {
  it('should do what it says', { timeout: 300_000 }, async () => {
    const commands = lines('copy').map((line) => line.replace(/ +#.*/, ''))
    expect(commands).toEqual([
      'npm install',
      'npm run generate',
      'npm run check',
      'npm run types',
      'npx vite build',
      'npx wrangler deploy --dry-run',
      'npm start',
    ])
    await install()
    const printed: string[] = []
    for (const command of commands.slice(1, -1)) {
      const { stdout, stderr } = await sh(command)
      printed.push(stdout + stderr)
    }
    const [, check, , , deploy] = printed
    expect(check).toMatch(/No findings\.\n[^]*No findings\.\n/)
    expect(deploy).toContain('env.TENANT (Tenant)')
    expect(deploy).toContain('--dry-run: exiting now.')
    for (const file of ['tenant', 'directory'].map((name) => `src/${name}/database.generated.ts`)) {
      expect(readFileSync(`${project}/${file}`, 'utf8')).toBe(
        readFileSync(`${example}/${file}`, 'utf8'),
      )
    }
    expect(readFileSync(`${project}/worker-configuration.d.ts`, 'utf8')).toBe(
      readFileSync(`${example}/worker-configuration.d.ts`, 'utf8'),
    )

    const server = await startVite(project)
    try {
      const origin = server.url.replace(/\/$/, '')
      const requests = lines('requests')
      const answers: string[] = []
      for (const request of requests.filter((line) => line.startsWith('curl '))) {
        const { stdout } = await sh(
          request.replaceAll('http://127.0.0.1:8787', origin).replace('curl', 'curl -s'),
        )
        answers.push(`# ${stdout.trim()}`)
      }
      const expected = requests.filter((line) => line.startsWith('# '))
      expect(answers.length).toBe(expected.length)
      answers.forEach((answer, i) => {
        const pattern = expected[i]
          ?.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('…', '[^"]+')
        expect(answer).toMatch(new RegExp(`^${pattern}$`))
      })
    } finally {
      await server.stop()
    }
  })
})
