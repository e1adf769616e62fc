import { execFile } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'
import { fileOf, toModules } from './document-modules.ts'
import { brokenLinks } from './links.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
/** In the root, so that `kysely-durable-sqlite` is found as a user finds it: built, by its exports. */
const directory = `${root}.documents`
const { compatibilityDate } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}

const documents = globSync(['README.md', 'docs/*.md', 'docs/api/*.md', 'examples/*/README.md'], {
  cwd: root,
})
  .toSorted()
  .map((document) => {
    const text = readFileSync(`${root}${document}`, 'utf8')
    return { document, text, blocks: codeBlocks(document, text) }
  })
/** Whole projects, which tests of their own follow. */
const followed = ['docs/getting-started.md']
const modules = documents
  .filter(({ document }) => !followed.includes(document))
  .flatMap(({ document, blocks }) => {
    const examples = blocks.filter(({ language }) => language === 'ts')
    // The example of a docstring is read by itself, in an editor.
    return document.startsWith('docs/api/')
      ? examples.flatMap((example) => toModules([example]))
      : toModules(examples)
  })
const runnable = modules
  .filter(({ block, kind }) => !block.flags.includes('compile-only') && kind !== 'file')
  .filter(({ kind }) => kind !== 'other')
  .map(({ block, file, durableObject }) => ({
    title: `${block.document}:${block.line}`,
    needsNode: block.flags.includes('nodejs_compat'),
    file,
    durableObject,
  }))
/** The Workers that run the blocks. */
const workers = [
  { title: 'in workerd', entry: 'blocks.ts', needsNode: false },
  { title: 'in workerd with nodejs_compat', entry: 'blocks-with-node.ts', needsNode: true },
].map((worker) => ({
  ...worker,
  blocks: runnable
    .filter(({ needsNode }) => needsNode === worker.needsNode)
    .map((block, index) => ({ ...block, index })),
}))

beforeAll(() => {
  rmSync(directory, { recursive: true, force: true })
  for (const { file, text } of modules) {
    write(file, text)
  }
  for (const { entry, blocks } of workers) {
    write(entry, blocksText(blocks))
  }
  for (const [file, text] of Object.entries(examplesText)) {
    write(file, text)
  }
  write(
    'tsconfig.json',
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: {
        // As strict as `strict`.
        noPropertyAccessFromIndexSignature: false,
        noUncheckedIndexedAccess: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
        paths: {},
        types: ['@cloudflare/workers-types', '@cloudflare/vitest-plugin/types', 'node'],
      },
      files: [
        '../test/documents/worker.ts',
        ...workers.map(({ entry }) => entry),
        ...modules.map(({ file }) => file),
      ],
      include: [],
    }),
  )
})

/** What blocks import of an example. */
const examplesText = {
  'compiled-functions.ts':
    "export { default } from '../examples/mikro-orm/src/compiled-functions.js'\n",
  'entities.ts': `import { Author, Book, BookTag, Tag } from '../examples/mikro-orm/src/entities.js'
export const entities = [Author, Book, BookTag, Tag]
`,
  'platform-tables-plugin.ts':
    "export * from '../examples/better-auth/src/platform-tables-plugin.js'\n",
}

function write(file: string, text: string): void {
  mkdirSync(dirname(`${directory}/${file}`), { recursive: true })
  writeFileSync(`${directory}/${file}`, text)
}

/** What `test/documents/worker.ts` imports. */
function blocksText(blocks: (typeof workers)[number]['blocks']): string {
  return [
    ...blocks.map(({ file, index }) => {
      const module = file.replace('.ts', '.js')
      return `import * as block${index} from './${module}'\n`
    }),
    ...blocks.map(({ durableObject, index }) =>
      durableObject === undefined
        ? ''
        : `export class Block${index} extends block${index}.${durableObject} {
  $rows(query: string) { return this.ctx.storage.sql.exec(query).toArray() }
}\n`,
    ),
    `export const blocks: any[] = [${blocks.map(({ index }) => `block${index}`).join(', ')}]\n`,
  ].join('')
}

describe.each(documents)('$document', ({ document, text, blocks }) => {
  it('should have its hidden code right before and after a block', () => {
    const hidden = blocks.flatMap(({ before, after }) => [before, after]).filter(Boolean)
    expect(text.match(/^<!-- (before|after)$/gm) ?? []).toHaveLength(hidden.length)
  })

  it('should link to files and headings that exist', () => {
    expect(brokenLinks(root, document, text)).toEqual([])
  })
})

describe('the code blocks of the documents', () => {
  it('should compile', async () => {
    expect(await typeScriptErrors()).toEqual([])
  })

  describe.each(workers)('$title', ({ needsNode, entry, blocks }) => {
    let miniflare: Miniflare

    beforeAll(async () => {
      const { outputFiles } = await build({
        entryPoints: [`${root}test/documents/worker.ts`],
        tsconfig: `${directory}/tsconfig.json`,
        bundle: true,
        format: 'esm',
        target: 'es2024',
        // Agents imports mimetext, which is for Node.js, when it sends mail.
        external: ['cloudflare:*', ...(needsNode ? ['node:*', 'mimetext'] : [])],
        plugins: [resolveBlocks(entry)],
        write: false,
        logLevel: 'error',
      })
      const classNames = blocks.flatMap(({ index, durableObject }) =>
        durableObject === undefined ? [] : `Block${index}`,
      )
      const classes = { SNIPPET: 'Snippet', EMPTY: 'Empty' }
      miniflare = new Miniflare(
        convertV4MiniflareOptions({
          modules: true,
          script: outputFiles.map(({ text }) => text).join(''),
          compatibilityDate,
          compatibilityFlags: needsNode ? ['nodejs_compat'] : [],
          r2Buckets: ['BACKUPS'],
          durableObjects: Object.fromEntries(
            [...Object.entries(classes), ...classNames.map((name) => [name, name])].map(
              ([binding, className]) => [binding, { className, useSQLite: true }],
            ),
          ),
        }),
      )
    })

    afterAll(() => miniflare.dispose())

    it.each(blocks)('should run $title', async ({ index }) => {
      const response = await miniflare.dispatchFetch(`http://localhost/${index}`)
      expect(await response.text()).toBe('')
    })
  })
})

/** Has `test/documents/worker.ts` import the blocks of another entry. */
function resolveBlocks(entry: string): Plugin {
  return {
    name: 'blocks',
    setup(bundler) {
      bundler.onResolve({ filter: /\/blocks\.js$/ }, () => ({ path: `${directory}/${entry}` }))
    },
  }
}

/** What `tsc` says of the modules, with the lines of the documents. */
async function typeScriptErrors(): Promise<string[]> {
  const { stdout } = await run(
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

/** The code of a file of docs/testing.md. */
function testingFile(file: string): string {
  const { blocks = [] } = documents.find(({ document }) => document === 'docs/testing.md') ?? {}
  return blocks.find((block) => fileOf(block) === file)?.code ?? ''
}

/** Runs the tests of a page's project, and returns what they print. */
async function runProject(name: string): Promise<string> {
  const project = `${directory}/${name}`
  const { stdout } = await run(
    process.execPath,
    [`${root}node_modules/vitest/vitest.mjs`, 'run', '--root', project, '--reporter', 'tap'],
    { cwd: project, env: { PATH: process.env['PATH'], WRANGLER_SEND_METRICS: 'false' } },
  ).catch((error: { stdout: string }) => error)
  return stdout
}

// A project starts a Vitest and a workerd of its own.
describe('the project of docs/testing.md', { timeout: 180_000 }, () => {
  it('should pass its test', async () => {
    write('docs-testing-md/wrangler.jsonc', testingFile('wrangler.jsonc'))
    expect(await runProject('docs-testing-md')).toMatch(
      /^ +ok 1 - should undo a transfer that the payer cannot pay/m,
    )
  })
})

describe('the project of docs/cost.md', { timeout: 180_000 }, () => {
  beforeAll(() => {
    const configuration = testingFile('wrangler.jsonc')
      .replaceAll('Bank', 'Lists')
      .replaceAll('BANK', 'LISTS')
    write('docs-cost-md/wrangler.jsonc', configuration)
    write('docs-cost-md/vitest.config.ts', testingFile('vitest.config.ts'))
  })

  it('should pass its test', async () => {
    expect(await runProject('docs-cost-md')).toMatch(/^ +ok 1 - should read no table whole/m)
  })

  it('should fail its test without the index', async () => {
    const source = `${directory}/docs-cost-md/src/index.ts`
    const index = /^.*create index if not exists item_list.*\n/m
    writeFileSync(source, readFileSync(source, 'utf8').replace(index, ''))
    expect(await runProject('docs-cost-md')).toMatch(/^ +not ok 1 - should read no table whole/m)
  })
})
