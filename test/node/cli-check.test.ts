import { describe, expect, it } from 'vitest'
import { CliProject, type Result, wranglerConfig } from './cli-project.ts'

const CLEAN = { status: 0, stdout: '', stderr: 'No findings.\n' }

/** Runs `check` on migrations in files. */
async function check(
  migrations: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Result> {
  using project = new CliProject({ 'wrangler.jsonc': wranglerConfig('Room'), ...migrations })
  const before = project.files()
  const result = await project.run('check', '--migrations', 'm', ...args)
  expect(project.files()).toEqual(before)
  return result
}

/** The lines that `check` prints of the findings. */
async function findings(
  migrations: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string[]> {
  const { status, stdout, stderr } = await check(migrations, ...args)
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  return stdout.trimEnd().split('\n')
}

describe('check', { timeout: 120_000 }, () => {
  it('should find nothing in good migrations of every kind, with their downs', async () => {
    expect(
      await check({
        'm/0001_room.sql': 'create table room (id integer primary key);',
        'm/0002_person.ts': `
          import { type Kysely, sql } from 'kysely'
          import { rebuildTable } from 'kysely-durable-sqlite/migration'
          export const foreignKeys = 'off'
          export async function up(db: Kysely<any>, storage: any): Promise<void> {
            await db.schema.createTable('person').addColumn('id', 'integer').execute()
            await sql\`insert into person (id) values (1)\`.execute(db)
            rebuildTable(storage, 'room', { create: 'create table room (id integer primary key) strict' })
          }
          export async function down(db: Kysely<any>, storage: any): Promise<void> {
            await db.schema.dropTable('person').execute()
            rebuildTable(storage, 'room', { create: 'create table room (id integer primary key)' })
          }`,
      }),
    ).toEqual(CLEAN)
  })

  it('should name the line of a statement that is no SQL, in a text and at the offset', async () => {
    expect(
      await findings({
        'm/0001_a.sql':
          '-- ä\ncreate table a (id integer);\ncreate table a2 (\n  x selec select\n);\n',
        'm/0002_b.sql': 'select 1',
      }),
    ).toEqual([
      expect.stringMatching(
        /^m\/0001_a\.sql:4 Migration 0001_a \(up\) failed and was undone: near "select": syntax error .* Fix it\. The 1 after it did not run\.$/,
      ),
    ])
  })

  it('should find what the data of an earlier migration do not allow', async () => {
    expect(
      await findings({
        'm/0001_a.sql': 'create table a (n);\ninsert into a values (1), (1);\n',
        'm/0002_b.sql': 'create index x on a (n);\n\ncreate unique index y on a (n);\n',
      }),
    ).toEqual([expect.stringMatching(/^m\/0002_b\.sql:3 .*UNIQUE constraint failed: a\.n/)])
  })

  it('should name the second of two equal statements', async () => {
    expect(
      await findings({
        'm/0001_a.sql': 'create table a (n);\ncreate table b (n);\ncreate table a (n);',
      }),
    ).toEqual([expect.stringMatching(/^m\/0001_a\.sql:3 .*table a already exists/)])
  })

  it('should find a table with more columns than the platform has', async () => {
    const columns = Array.from({ length: 101 }, (_, i) => `c${i}`).join(', ')
    expect(await findings({ 'm/0001_a.sql': `create table a (${columns})` })).toEqual([
      expect.stringMatching(/^m\/0001_a\.sql:1 .*too many columns on a.* at most 100\./),
    ])
  })

  it('should find foreign keys that cannot hold', async () => {
    expect(
      await findings({
        'm/0001_a.sql': [
          'create table parent (id integer primary key, code text);',
          'create table child (',
          '  parent_code text references parent (code),',
          '  other_id integer references other (id)',
          ');',
          'create table later (soon_id integer references soon (id));',
        ].join('\n'),
        'm/0002_b.sql': 'create table soon (id integer primary key)',
      }),
    ).toEqual([
      expect.stringMatching(
        /^m\/0001_a\.sql:4 .* table child has a foreign key to other, which no migration makes/,
      ),
      expect.stringMatching(
        /^m\/0001_a\.sql:3 .* table child has a foreign key to parent on columns that are not a primary key/,
      ),
    ])
  })

  it('should find a row that refers to none', async () => {
    expect(
      await findings({
        'm/0001_a.sql': [
          'pragma foreign_keys = off;',
          'create table parent (id integer primary key);',
          'create table child (parent_id integer references parent (id));',
          'insert into child values (5);',
        ].join('\n'),
      }),
    ).toEqual([expect.stringMatching(/^m\/0001_a\.sql:\d .*0001_a .*child/)])
  })

  it('should find names that sort wrongly, and numbers that are there twice', async () => {
    expect(
      await findings({
        'm/1_a.sql': 'select 1',
        'm/2_b.sql': 'select 1',
        'm/2_c.sql': 'select 1',
        'm/10_d.sql': 'select 1',
      }),
    ).toEqual([
      expect.stringMatching(/^m\/1_a\.sql:1 Migration 1_a runs after 10_d: /),
      expect.stringMatching(/^m\/2_c\.sql:1 Migrations 2_b and 2_c have the same number: /),
    ])
  })

  it('should find a numbered file that the index beside it does not import', async () => {
    expect(
      await findings({
        'm/0001_a.sql': 'select 1',
        'm/0002_b.sql': 'select 2',
        'm/0003_c.sql': 'select 3',
        'm/seed.sql': 'select 4',
        'm/index.ts': `
          import a from './0001_a.sql'
          import c from './0003_c.sql?raw'
          export const migrations = { a, c }`,
      }),
    ).toEqual([
      'm/0002_b.sql:1 No object runs this file, since m/index.ts does not import it. Name it there.',
    ])
  })

  it('should take times for numbers', async () => {
    expect(
      await check({
        'm/2026-11-21-101500_a.sql': 'select 1',
        'm/2026-11-21-101501_b.sql': 'select 1',
        'm/2026-12-01-000000_c.sql': 'select 1',
      }),
    ).toEqual(CLEAN)
  })

  it('should find what a down leaves, and a down that fails, each with its line', async () => {
    expect(
      await findings({
        'm/index.ts': [
          "import text from './0001_a.sql'",
          'export const migrations = {',
          "  '0001_a': { up: text, async down() {} },",
          "  '0002_b': {",
          "    up: 'alter table a add column b; create index i on a (b)',",
          '    async down(db) {',
          "      await db.schema.alterTable('a').dropColumn('b').execute()",
          '    },',
          '  },',
          "  '0003_c': { up: 'insert into a (n) values (1)', down: 'select 1' },",
          '}',
        ].join('\n'),
        'm/0001_a.sql': 'create table a (n)',
      }),
    ).toEqual([
      'm/index.ts:3 Migration 0001_a: its down leaves another schema than before: table a is there.',
      expect.stringMatching(
        /^m\/index\.ts:7 Migration 0002_b \(down\) failed and was undone: error in index i/,
      ),
      'm/index.ts:10 Migration 0003_c: its down leaves another schema than before: rows of a are 1 instead of 0.',
    ])
  })

  it('should name the line of a statement in a module, of SQL text and of a function', async () => {
    const module = (up: string): Record<string, string> => ({
      'm/index.js': `export default {\n  '0001_a': {\n    up: ${up},\n  },\n}\n`,
    })
    expect(await findings(module('`create table a (id);\n      create tabel b (id)`'))).toEqual([
      expect.stringMatching(/^m\/index\.js:4 .*near "tabel"/),
    ])
    expect(
      await findings(module('async (db, sql) => {\n      sql.exec("select nope")\n    }')),
    ).toEqual([expect.stringMatching(/^m\/index\.js:4 .*no such column: nope/)])
    expect(
      await findings(module('async () => {\n      throw new Error("not yet")\n    }')),
    ).toEqual([expect.stringMatching(/^m\/index\.js:4 .*not yet\. Fix it\.$/)])
  })

  it('should find modules that cannot be bundled or loaded', async () => {
    expect(await findings({ 'm/index.ts': "\nimport './gone.js'" })).toEqual([
      'm/index.ts:2 The migrations cannot be bundled: Could not resolve "./gone.js"',
    ])
    expect(await findings({ 'm/index.ts': "\nthrow new Error('at once')" })).toEqual([
      'm/index.ts:2 The migrations cannot be loaded: at once',
    ])
    expect(await findings({ 'm/index.ts': 'export const other = 1' })).toEqual([
      'm:1 The migrations cannot be loaded: m/index.ts exports no migrations. Write: export const migrations: Migrations = { … }',
    ])
  })

  it('should find generated types that are out of date, by the configuration', async () => {
    using project = new CliProject({
      'wrangler.jsonc': wranglerConfig('Room'),
      'migrations/0001_a.sql': 'create table a (id integer primary key, at integer not null)',
      'kysely-durable-sqlite.jsonc': `{
        // As wrangler's, with comments.
        "migrations": "migrations",
        "out": "src/database.ts",
        "mapping": { "a.at": "date:milliseconds" },
      }`,
    })
    const outOfDate = {
      status: 1,
      stdout:
        'src/database.ts:1 The generated types are not what the migrations make. Run kysely-durable-sqlite generate.\n',
      stderr: '',
    }
    expect(await project.run('check')).toEqual(outOfDate)
    expect(await project.run('generate')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(project.read('src/database.ts')).toContain('at: Date')
    expect(await project.run('check')).toEqual(CLEAN)
    expect(await project.run('generate', '--verify')).toEqual({ status: 0, stdout: '', stderr: '' })
    project.write('migrations/0002_b.sql', 'create table b (id integer primary key)')
    expect(await project.run('check')).toEqual(outOfDate)
    expect((await project.run('generate', '--verify')).status).toBe(1)
  })

  it('should find classes that are not SQLite-backed, with the line to add', async () => {
    const config = JSON.parse(wranglerConfig('Room')) as { migrations: object[] }
    const classes = ['Room', 'Old', 'New', 'Elsewhere'].map((name) => ({
      name,
      class_name: name,
      ...(name === 'Elsewhere' && { script_name: 'another' }),
    }))
    config.migrations.push({ tag: 'v2', new_classes: ['Old'] })
    const text = JSON.stringify({ ...config, durable_objects: { bindings: classes } }, undefined, 1)
    const line = (name: string): number =>
      text.split('\n').findIndex((it) => it.includes(`"class_name": "${name}"`)) + 1
    const files = { 'm/0001_a.sql': 'select 1' }
    expect(await findings({ ...files, 'wrangler.jsonc': text })).toEqual([
      `wrangler.jsonc:${line('Old')} Class Old was made with new_classes and has no SQL. That cannot be changed: make another class with new_sqlite_classes, and move the data to it.`,
      `wrangler.jsonc:${line('New')} Class New is not a SQLite class. Add to "migrations": { "tag": "v3", "new_sqlite_classes": ["New"] }`,
    ])
    expect(await check({ ...files, 'wrangler.jsonc': text }, '--class', 'Room')).toEqual(CLEAN)
  })

  it('should give its findings as JSON', async () => {
    const { status, stdout } = await check({ 'm/0001_a.sql': '\nselect nope' }, '--json')
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toEqual([
      {
        file: 'm/0001_a.sql',
        line: 2,
        message: expect.stringMatching(
          /^Migration 0001_a \(up\) failed and was undone: no such column: nope/,
        ),
      },
    ])
    expect((await check({ 'm/0001_a.sql': 'select 1' }, '--json')).stdout).toBe('[]\n')
  })
})

describe('generate --migrations', () => {
  it('should exit with 2 where a migration fails, and write nothing', async () => {
    using project = new CliProject({ 'm/0001_a.sql': 'select 1', 'm/0002_b.sql': '\nselect nope' })
    const before = project.files()
    expect(await project.run('generate', '--migrations', 'm', '--out', 'db.ts')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^m\/0002_b\.sql:2 .*no such column: nope[^\n]*\n$/),
    })
    expect(project.files()).toEqual(before)
  })

  it('should name the file of a migration without a statement', async () => {
    using project = new CliProject({ 'm/0001_a.sql': '-- later', 'm/0002_b.sql': 'select 1' })
    expect(await project.run('generate', '--migrations', 'm')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^m\/0001_a\.sql:1 The SQL text of migration 0001_a /),
    })
  })

  it('should print nothing of what migrations print', async () => {
    using project = new CliProject({
      'm.ts': `export default { a: { async up(db) {
        console.log('hello')
        await db.schema.createTable('a').addColumn('id', 'integer').execute()
      } } }`,
    })
    const { status, stdout } = await project.spawn('generate', '--migrations', 'm.ts')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\/\/ Generated by /)
    expect(stdout).not.toContain('hello')
  })

  it.each([
    ['there is none', ['gone'], /^There are no migrations in gone: /],
    ['it is empty', ['empty'], /^There are no migrations in empty\. /],
    ['it is no module', ['0001.sql'], /^0001\.sql is not a module\. /],
  ])('should be told that %s', async (_, [path = ''], message) => {
    using project = new CliProject({ 'empty/readme.md': '', '0001.sql': 'select 1' })
    const { stderr, ...result } = await project.run('check', '--migrations', path)
    expect(result).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr.split('\n')).toHaveLength(2)
  })
})
