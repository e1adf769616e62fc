import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('should run the demo, in which no money is made or lost', { timeout: 120_000 }, () => {
  const { status, stdout } = spawnSync('npm', ['run', 'demo', '--silent'], {
    cwd: join(import.meta.dirname, '../../examples/basic-worker'),
    encoding: 'utf8',
  })
  expect(stdout).toContain('300 of 300 transfers sent')
  expect(stdout).toContain('No money was made or lost, and every history adds up to its balance.')
  expect(stdout).toMatch(/Stopped the Worker\.\n$/)
  expect(status).toBe(0)
})
