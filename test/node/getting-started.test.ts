import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { followDocument } from './follow-document.ts'

const root = join(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'getting-started-'))

beforeAll(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], {
    cwd: root,
    stdio: 'ignore',
  })
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

it('should be done as written, from the packed tarball', { timeout: 300_000 }, async () => {
  const [tarball = ''] = readdirSync(directory)
  const project = join(directory, 'notes')
  mkdirSync(project)
  const followed = followDocument('docs/getting-started.md', {
    directory: project,
    tarball: join(directory, tarball),
  })
  await expect(followed).resolves.toBeUndefined()
})
