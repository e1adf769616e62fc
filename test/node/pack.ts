import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

/** Packs the package, as it was built last, for all tests that install it. */
export default async function pack({ provide }: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'packed-'))
  await promisify(execFile)('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], {
    cwd: join(import.meta.dirname, '../..'),
  })
  const [tarball = ''] = await readdir(directory)
  provide('tarball', join(directory, tarball))
  return () => rm(directory, { recursive: true, force: true })
}
