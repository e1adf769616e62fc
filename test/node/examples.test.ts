import {
  appendFileSync,
  cpSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { codeBlocks } from './code-blocks.ts'
import { copyExample } from './example.ts'
import { followDocument } from './follow-document.ts'

const root = join(import.meta.dirname, '../..')
const examples = readdirSync(join(root, 'examples')).map((example) => ({
  example,
  document: `examples/${example}/README.md`,
}))
const directory = mkdtempSync(join(tmpdir(), 'examples-'))

afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Manifest {
  readonly name: string
  readonly scripts: Readonly<Record<string, string>>
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
}

/** What a README has run in a clone beside `npm ci` and the server. */
const demos: Readonly<Record<string, string>> = {
  'basic-worker': 'npm run build && npm run demo --workspace basic-worker',
  'multi-tenant': 'npm run demo --workspace multi-tenant',
}

/** What the commands of a README write, of what is there already. */
const GENERATED = '**/{database.generated.ts,worker-configuration.d.ts}'

// A machine with 2 cores has enough to do with two of them.
vi.setConfig({ maxConcurrency: 2 })

describe.concurrent.each(examples)('$document', ({ example, document }) => {
  const source = join(root, 'examples', example)

  // Whoever runs this has done `npm ci` and the build. The rest is done in a copy below.
  it('should name commands that need nothing but a clone', () => {
    const { scripts } = manifest(root)
    const commands = codeBlocks(document, readFileSync(join(root, document), 'utf8'))
      .filter(({ flags }) => flags.includes('clone'))
      .flatMap(({ code }) => code.trim().split('\n'))
      .map((command) => scripts[command.replace(/^npm (?:run )?/, '')] ?? command)
    const { name } = manifest(source)
    expect(commands).toEqual(
      ['npm ci', `npm run build && npm start --workspace ${name}`, demos[example]].filter(Boolean),
    )
  })

  it('should be done as it says, in a copy of its own', { timeout: 300_000 }, async () => {
    const clone = join(directory, example, 'clone')
    const cloned = join(clone, 'examples', example)
    copyExample(example, cloned)
    const generated = globSync(GENERATED, { cwd: cloned })
    for (const file of generated) {
      appendFileSync(join(cloned, file), '// Out of date.\n')
    }
    // So that the packages of the packages have the versions of this repository, too.
    cpSync(join(root, 'package-lock.json'), join(cloned, 'package-lock.json'))

    const copy = await followDocument(document, { directory: clone })
    const read = (place: string): string[] =>
      generated.map((file) => readFileSync(join(place, file), 'utf8'))
    expect(read(copy)).toEqual(read(source))
  })
})
