import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { followDocument } from './follow-document.ts'

const directory = mkdtempSync(join(realpathSync(tmpdir()), 'getting-started-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

it.each([
  { document: 'README.md', until: '## What is in it' },
  { document: 'docs/getting-started.md', until: undefined },
])(
  'should be done as $document says, from the packed tarball',
  { timeout: 300_000 },
  async ({ document, until }) => {
    const project = mkdtempSync(join(directory, 'project-'))
    const followed = followDocument(document, {
      directory: project,
      ...(until !== undefined && { until }),
    })
    await expect(followed).resolves.toBe(project)
  },
)
