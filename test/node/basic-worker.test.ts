import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { expect, it } from 'vitest'

const example = join(import.meta.dirname, '../../examples/basic-worker')

it(
  'should run the demo, which upgrades a bank and makes and loses no money',
  { timeout: 120_000 },
  () => {
    const { status, stdout } = spawnSync('npm', ['run', 'demo', '--silent'], {
      cwd: example,
      encoding: 'utf8',
    })
    const migrations = [...stdout.matchAll(/^  (\d{4}_\w+) +(\w+)$/gm)].map((match) =>
      match.slice(1),
    )
    expect(migrations).toEqual([
      ['0001_accounts', 'applied'],
      ['0002_strict_account', 'pending'],
      ['0001_accounts', 'applied'],
      ['0002_strict_account', 'applied'],
    ])
    expect(stdout).toContain('300 of 300 transfers sent')
    expect(stdout).toContain('No money was made or lost, and every history adds up to its balance.')
    expect(stdout).toMatch(/Stopped the Worker\.\n$/)
    expect(status).toBe(0)
  },
)

it('should have types and migrations in which `npm run check` finds nothing', () => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'check', '--silent'], {
    cwd: example,
    encoding: 'utf8',
  })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: 'No findings.\n' })
})

it('should answer 503 while a migration fails', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(example, 'src/index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:workers'],
    loader: { '.sql': 'text' },
  })
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]?.text ?? '',
      compatibilityDate: '2026-04-06',
      bindings: { MIGRATE_TO: 'no_such_migration' },
      durableObjects: { BANK: { className: 'Bank', useSQLite: true } },
    }),
  )
  try {
    const response = await miniflare.dispatchFetch('http://worker/accounts')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({
      error: 'The bank is closed until its update is mended.',
    })
  } finally {
    await miniflare.dispose()
  }
})
