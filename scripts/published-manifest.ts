import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of package.json, what a user's package manager or a registry reads. */
const PUBLISHED = [
  'bin',
  'description',
  'engines',
  'exports',
  'files',
  'keywords',
  'license',
  'name',
  'peerDependencies',
  'peerDependenciesMeta',
  'publishConfig',
  'repository',
  'sideEffects',
  'type',
  'version',
]

const directory = mkdtempSync(join(tmpdir(), 'published-'))
execFileSync('npm', ['pack', '--silent', '--pack-destination', directory], { stdio: 'inherit' })
const manifest = JSON.parse(
  execFileSync('sh', ['-c', `tar -xzOf ${directory}/*.tgz package/package.json`], {
    encoding: 'utf8',
  }),
) as Record<string, unknown>

const surplus = Object.keys(manifest).filter((field) => !PUBLISHED.includes(field))
if (surplus.length > 0) {
  throw new Error(`package.json is published with ${surplus.join(', ')}: see its script prepack.`)
}
console.log('package.json is published with what a user needs.')
