import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
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

it.each([
  { document: 'README.md', until: '## What is in it' },
  { document: 'docs/getting-started.md', until: undefined },
])(
  'should be done as $document says, from the packed tarball',
  { timeout: 300_000 },
  async ({ document, until }) => {
    const [tarball = ''] = readdirSync(directory).filter((name) => name.endsWith('.tgz'))
    const project = mkdtempSync(join(directory, 'project-'))
    const followed = followDocument(document, {
      directory: project,
      tarball: join(directory, tarball),
      ...(until !== undefined && { until }),
    })
    await expect(followed).resolves.toBeUndefined()
  },
)
