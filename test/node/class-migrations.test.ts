import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'
import { quietWrangler } from './wrangler-dev.ts'

const wrangler = fileURLToPath(new URL('../../node_modules/.bin/wrangler', import.meta.url))
const document = 'docs/class-migrations.md'
const configurations = codeBlocks(
  document,
  readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8'),
).filter(({ language }) => language === 'jsonc')

const directory = mkdtempSync(`${tmpdir()}/class-migrations-`)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface DryRun {
  readonly exitCode: number
  readonly output: string
  /** The bindings that Wrangler says the Worker has: class by name. */
  readonly bindings: Record<string, string>
}

/** What `wrangler deploy --dry-run` says of a configuration, for a Worker that exports the classes. */
async function dryRun(
  name: string,
  configuration: string,
  exportedClasses: readonly string[],
): Promise<DryRun> {
  const project = `${directory}/${name}`
  mkdirSync(project)
  const path = `${project}/wrangler.jsonc`
  writeFileSync(
    path,
    configuration.replace('{', '{ "main": "worker.js", "compatibility_date": "2026-04-06",') + '\n',
  )
  writeFileSync(`${project}/worker.js`, workerText(exportedClasses))
  const { stdout, stderr, code } = await promisify(execFile)(
    wrangler,
    ['deploy', '--dry-run', '--name', 'worker', '--outdir', 'out', '--config', path],
    { cwd: project, env: quietWrangler },
  ).then(
    (output) => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  )
  const bindings = Array.from(
    stdout.matchAll(/^env\.(\w+) \((\w+)[^)]*\) +Durable Object/gm),
    ([, binding, className]) => [binding, className],
  )
  return { exitCode: code, output: stdout + stderr, bindings: Object.fromEntries(bindings) }
}

function workerText(classes: readonly string[]): string {
  return `import { DurableObject } from 'cloudflare:workers'
${classes.map((name) => `export class ${name} extends DurableObject {}\n`).join('')}
export default { fetch: () => new Response('ok') }
`
}

describe('the configurations of docs/class-migrations.md', () => {
  it('should be of both kinds', () => {
    const kinds = configurations.map(({ code }) => code.match(/"(migrations|exports)": /g))
    expect(kinds.filter((kind) => kind?.join() === '"migrations": ')).toHaveLength(7)
    expect(kinds.filter((kind) => kind?.join() === '"exports": ')).toHaveLength(6)
    expect(configurations).toHaveLength(13)
  })

  it.concurrent.for(configurations)(
    'should pass a dry run: line $line',
    async ({ line, code }, { expect }) => {
      const bound = Array.from(
        code.matchAll(/"name": "(\w+)", "class_name": "(\w+)"(, "script_name")?/g),
        ([, name = '', className = '', scriptName]) => ({ name, className, scriptName }),
      )
      const { exitCode, output, bindings } = await dryRun(
        `line-${line}`,
        code,
        bound.flatMap(({ className, scriptName }) => (scriptName === undefined ? className : [])),
      )
      expect(output).not.toMatch(/WARNING|ERROR/)
      expect(exitCode).toBe(0)
      expect(bindings).toEqual(
        Object.fromEntries(bound.map(({ name, className }) => [name, className])),
      )
    },
  )
})

describe('wrangler deploy --dry-run', () => {
  const binding = '"durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] }'
  const mistakes = [
    {
      name: 'a-field-that-does-not-exist',
      configuration: `{ ${binding}, "migrations": [{ "tag": "v1", "new_sqlite_clases": ["Room"] }] }`,
      says: 'Unexpected fields found in migrations field: "new_sqlite_clases"',
    },
    {
      name: 'a-state-that-lacks-what-it-needs',
      configuration: '{ "exports": { "Room": { "type": "durable-object", "state": "renamed" } } }',
      says: '"exports.Room.renamed_to" is required for state "renamed"',
    },
    {
      name: 'migrations-beside-exports',
      configuration: `{ ${binding}, "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Room"] }],
        "exports": { "Room": { "type": "durable-object", "storage": "sqlite" } } }`,
      says: '`migrations` and `exports` are mutually exclusive',
    },
    {
      name: 'a-bound-class-that-is-not-exported',
      configuration: `{ ${binding}, "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Room"] }] }`,
      exportedClasses: [],
      says: 'not exported in your entrypoint file',
    },
    {
      name: 'a-bound-class-that-no-migration-makes',
      configuration: `{ ${binding} }`,
      says: '(Room), but no live `exports` entry for them',
    },
  ]

  it.concurrent.for(mistakes)(
    'should find $name',
    async ({ name, configuration, exportedClasses = ['Room'], says }, { expect }) => {
      const { output } = await dryRun(name, configuration, exportedClasses)
      expect(output.replaceAll(/\s+/g, ' ')).toContain(says)
    },
  )
})
