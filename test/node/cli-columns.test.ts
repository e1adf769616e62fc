import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EVERY_FEATURE } from '../fixtures/every-feature.js'
import { CliProject, root } from './cli-project.ts'

/** Names that would be something else in TypeScript, if they could. */
const HOSTILE = [
  'a\nb',
  '*/ throw 1 /*',
  '${throw 1}',
  '`',
  "'; throw 1; '",
  '\u001b[31m',
  '\u202eabc',
  '__proto__',
  'constructor',
  '//x',
  String.raw`\u0041`,
  '</script>',
  ' ',
  'date',
  'json',
  'columns',
  'columnTypes',
  'DB',
  'Generated',
]

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function hostileTable(name: string): string {
  const columns = HOSTILE.map((column) => {
    const text = `'${column.replaceAll("'", "''")}'`
    return `${quoted(column)} text default ${text} check (${quoted(column)} in (${text}, 'x'))`
  })
  return `create table ${quoted(name)} (${columns.join(', ')}, flag boolean, doc json, at integer not null)`
}

it('should write columns that compile, whatever the names are', { timeout: 180_000 }, async () => {
  using project = new CliProject({
    'package.json': '{ "type": "module" }',
    // The entry itself is tested where it is.
    'columns.d.ts': readFileSync(join(root, 'test/fixtures/columns-entry.d.ts'), 'utf8'),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        target: 'es2022',
        module: 'nodenext',
        noUnusedLocals: true,
        skipLibCheck: true,
        types: [],
        paths: { 'kysely-durable-sqlite/columns': ['./columns.d.ts'] },
      },
      include: ['*.ts'],
    }),
  })
  project.createDatabase('features.sqlite', ...EVERY_FEATURE)
  project.createDatabase('hostile.sqlite', ...HOSTILE.map(hostileTable))
  for (const [database, map] of [
    ['features', '--map=*.at=date:iso'],
    ['hostile', '--map=at=date:milliseconds'],
  ] as const) {
    for (const args of [['--columns'], ['--columns', '--camel-case']]) {
      const out = `${database}-${args.length}.ts`
      const flags = [map, '--out', out, ...args]
      expect(await project.run('generate', `${database}.sqlite`, ...flags)).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      })
      const text = project.read(out)
      expect(text).toMatch(/boolean\(\)[^]*json<Json>\(\)|json<Json>\(\)[^]*boolean\(\)/)
      // oxlint-disable-next-line no-control-regex -- what must not be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  }
  const compile = (): string =>
    spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project.directory], { encoding: 'utf8' })
      .stdout
  expect(compile()).toBe('')
  // A codec that is missing is an error: the interface and the columns go together.
  project.write('hostile-1.ts', project.read('hostile-1.ts').replace('flag: boolean(),', ''))
  expect(compile()).toMatch(/hostile-1\.ts.*'flag' is missing/)
})
