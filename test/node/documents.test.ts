import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'
import { type DocumentModule, fileOf, toModules } from './document-modules.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** In the root, so that `kysely-durable-sqlite` is found as a user finds it: built, by its exports. */
const directory = `${root}.documents`
const { compatibilityDate } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}

const documents = globSync(['README.md', 'docs/*.md', 'examples/*/README.md'], { cwd: root })
  .toSorted()
  .map((document) => ({ document, text: readFileSync(`${root}${document}`, 'utf8') }))

const blocks = documents.flatMap(({ document, text }) => codeBlocks(document, text))

const modules = Object.values(
  Object.groupBy(
    blocks.filter(({ language }) => language === 'ts'),
    ({ document }) => document,
  ),
).flatMap((blocks = []) => toModules(blocks))

const runnable = modules.filter(
  ({ block, kind }) =>
    (kind === 'body' || kind === 'durable object') && !block.flags.includes('compile-only'),
)

function title({ block }: DocumentModule): string {
  return `${block.document}:${block.line}`
}

function linkExists(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const file = path === '' ? document : join(dirname(document), path)
  if (!existsSync(`${root}${file}`)) {
    return false
  }
  return heading === undefined || headings(readFileSync(`${root}${file}`, 'utf8')).includes(heading)
}

/** The anchors that GitHub gives the headings. */
function headings(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

function write(file: string, text: string): void {
  mkdirSync(dirname(`${directory}/${file}`), { recursive: true })
  writeFileSync(`${directory}/${file}`, text)
}

beforeAll(() => {
  rmSync(directory, { recursive: true, force: true })
  for (const { file, text } of modules) {
    write(file, text)
  }
  write('worker.ts', workerText())
  write(
    'tsconfig.json',
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        noPropertyAccessFromIndexSignature: false,
        noUncheckedIndexedAccess: false,
        paths: {},
        types: ['@cloudflare/workers-types', '@cloudflare/vitest-plugin/types', 'node'],
      },
      files: modules.map(({ file }) => file),
      include: [],
    }),
  )
})

describe.each(documents)('$document', ({ document, text }) => {
  it('should have its hidden code right before and after a block', () => {
    const hidden = blocks
      .filter((block) => block.document === document)
      .flatMap(({ before, after }) => [before, after].filter((code) => code !== ''))
    expect(text.match(/^<!-- (before|after)$/gm) ?? []).toHaveLength(hidden.length)
  })

  it('should link to files and headings that exist', () => {
    const missing = Array.from(
      text.matchAll(/\]\((?!\w+:)([^)]+)\)/g),
      ([, link = '']) => link,
    ).filter((link) => !linkExists(document, link))
    expect(missing).toEqual([])
  })
})

describe('the code blocks of the documents', () => {
  it('should compile', async () => {
    const errors = await typeScriptErrors()
    expect(errors).toEqual([])
  })

  describe('in workerd', () => {
    let miniflare: Miniflare

    beforeAll(async () => {
      const { outputFiles } = await build({
        entryPoints: [`${directory}/worker.ts`],
        bundle: true,
        format: 'esm',
        target: 'es2024',
        external: ['cloudflare:*'],
        tsconfig: `${directory}/tsconfig.json`,
        write: false,
        logLevel: 'error',
      })
      miniflare = new Miniflare(
        convertV4MiniflareOptions({
          modules: true,
          script: outputFiles.map(({ text }) => text).join(''),
          compatibilityDate,
          durableObjects: Object.fromEntries(
            ['Snippet', 'Empty', ...runnable.flatMap((_, i) => className(i) ?? [])].map((name) => [
              name,
              { className: name, useSQLite: true },
            ]),
          ),
        }),
      )
    })

    afterAll(() => miniflare.dispose())

    it.each(runnable.map((module, index) => ({ title: title(module), index })))(
      'should run $title',
      async ({ index }) => {
        const response = await miniflare.dispatchFetch(`http://localhost/${index}`)
        expect(await response.text()).toBe('')
      },
    )
  })
})

describe('the project of docs/testing.md', () => {
  it('should pass its test', async () => {
    const project = `${directory}/docs-testing-md`
    const configuration = blocks.find(
      (block) => block.document === 'docs/testing.md' && fileOf(block) === 'wrangler.jsonc',
    )
    writeFileSync(`${project}/wrangler.jsonc`, configuration!.code)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`${root}node_modules/vitest/vitest.mjs`, 'run', '--root', project, '--reporter', 'tap'],
      { cwd: project, env: { PATH: process.env['PATH'], WRANGLER_SEND_METRICS: 'false' } },
    )
    expect(stdout).toMatch(/^ +ok 1 - should undo a transfer that the payer cannot pay/m)
  })
})

/** The name under which the Worker exports the Durable Object of a block. */
function className(index: number): string | undefined {
  return runnable[index]?.durableObject === undefined ? undefined : `Block${index}`
}

/** A Worker that runs the block whose number is the path, and answers with what went wrong. */
function workerText(): string {
  const imports = runnable.map(
    ({ file }, i) => `import * as block${i} from './${file.replace('.ts', '.js')}'\n`,
  )
  const classes = runnable.map(({ durableObject }, i) =>
    durableObject === undefined
      ? ''
      : `export class Block${i} extends block${i}.${durableObject} { $construct() {} }\n`,
  )
  return `import { DurableObject } from 'cloudflare:workers'
import { createContext, equal, rejects } from '../test/documents/context.js'
${imports.join('')}${classes.join('')}
const blocks = [${runnable.map((_, i) => `block${i}`).join(', ')}]

export class Empty extends DurableObject {}

export class Snippet extends DurableObject {
  async run(index) {
    const env = new Proxy({}, { get: () => this.env.Empty })
    await blocks[index].$run(await createContext(this.ctx, env))
  }
}

async function run(index, env, ctx) {
  const namespace = env['Block' + index]
  if (namespace === undefined) {
    await env.Snippet.get(env.Snippet.newUniqueId()).run(index)
    return
  }
  const stub = namespace.get(namespace.newUniqueId())
  await stub.$construct()
  const everyBinding = new Proxy({}, { get: () => namespace })
  await blocks[index].$run({
    stub,
    equal,
    rejects,
    fetch: (path, init) =>
      blocks[index].default.fetch(new Request('http://localhost' + path, init), everyBinding, ctx),
  })
}

export default {
  async fetch(request, env, ctx) {
    try {
      await run(Number(new URL(request.url).pathname.slice(1)), env, ctx)
      return new Response('')
    } catch (error) {
      return new Response(error.stack)
    }
  },
}
`
}

/** What `tsc` says of the modules, with the lines of the documents. */
async function typeScriptErrors(): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    `${root}node_modules/.bin/tsc`,
    ['-p', directory, '--pretty', 'false'],
    { cwd: directory },
  ).catch((error: { stdout: string }) => error)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, file, at, rest] = /^([\w./-]+)\((\d+),\d+\): (.*)/.exec(line) ?? []
      const module = modules.find((module) => module.file === file)
      return module === undefined
        ? line
        : `${module.block.document}:${Number(at) - module.linesBefore + module.block.line - 1}: ${rest}`
    })
}
