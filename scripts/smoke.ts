/**
 * Runs every pattern of `examples/patterns` over HTTP and compares what comes back.
 *
 *     node scripts/smoke.ts http://localhost:8787    a Worker that runs already
 *     node scripts/smoke.ts                          deploys one to a real account, and removes it
 *
 * Deploying takes CLOUDFLARE_API_TOKEN (Workers Scripts: Edit) and CLOUDFLARE_ACCOUNT_ID. Exits 1 if
 * anything differs.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'

interface Step {
  readonly did: string
  readonly got: unknown
  readonly expected: unknown
}

const config = 'examples/patterns/wrangler.jsonc'

const [url] = process.argv.slice(2)
const exitCode = url === undefined ? await deployed() : await drive(url)
process.exitCode ||= exitCode

/** Returns the exit code. */
async function deployed(): Promise<number> {
  const name = `kysely-durable-sqlite-smoke-${Date.now().toString(36)}`
  try {
    const output = wrangler('deploy', '--config', config, '--name', name)
    const [url] = /https:\/\/\S+\.workers\.dev/.exec(output) ?? []
    if (url === undefined) {
      throw new Error('wrangler named no workers.dev address: is the subdomain enabled?')
    }
    await untilReady(url)
    return await drive(url)
  } finally {
    remove(name)
  }
}

/** Also after a deploy that failed, of which something may be there. */
function remove(name: string): void {
  try {
    wrangler('delete', '--config', config, '--name', name, '--force')
  } catch (error) {
    process.exitCode = 1
    console.error(`Look whether the Worker ${name} is still there:`, error)
  }
}

function wrangler(...args: readonly string[]): string {
  const { status, stdout } = spawnSync('npx', ['--no', 'wrangler', ...args], {
    encoding: 'utf8',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(stdout)
  if (status !== 0) {
    throw new Error(`wrangler ${args[0]} exited with ${status}.`)
  }
  return stdout
}

/** A new address answers after some seconds. */
async function untilReady(url: string): Promise<void> {
  for (let attempt = 1; attempt <= 30; attempt++) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok === true) {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
  throw new Error(`${url} does not answer.`)
}

/** Returns the exit code. */
async function drive(url: string): Promise<number> {
  const page = await (await fetch(url)).text()
  const names = Array.from(page.matchAll(/<section id="([\w-]+)">/g), ([, name]) => name)
  let failures = names.length === 0 ? 1 : 0
  for (const name of names) {
    const response = await fetch(new URL(`/run/${name}`, url), { method: 'POST' })
    const steps = response.ok ? ((await response.json()) as readonly Step[]) : []
    const isRight =
      steps.length > 0 && steps.every(({ got, expected }) => isDeepStrictEqual(got, expected))
    console.log(`${isRight ? 'ok    ' : 'FAILED'} ${name}`)
    if (!isRight) {
      failures++
      console.log(response.status, JSON.stringify(steps, undefined, 2))
    }
  }
  console.log(`${names.length} patterns, ${failures} failed`)
  return failures === 0 ? 0 : 1
}
