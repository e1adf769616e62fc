import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { readDatabases } from '../../src/cli/state/read-databases.js'
import { withChecksums } from '../../src/migration/checksum.js'
import { CliProject } from './cli-project.ts'

const IDS = ['a', 'b', 'c'].map((digit) => digit.repeat(64))
const STATE = '.wrangler/state/v3/do'
const FIRST = 'create table message (id integer primary key)'

/** An object of the class with these entries in its journal, by name; the value is the checksum. */
async function createObject(
  project: CliProject,
  { id, name, texts }: { id: string; name: string; texts: Readonly<Record<string, string | null>> },
): Promise<void> {
  const given = Object.entries(texts).map(([name, up]) => ({
    name,
    migration: { up: up ?? (async () => {}) },
  }))
  const entries = await withChecksums(given)
  project.createDatabase(
    `${STATE}/chat-Room/${id}.sqlite`,
    'pragma journal_mode = wal',
    FIRST,
    'create table kysely_migration (name text, timestamp text, checksum text, bookmark text)',
    ...entries.map(
      ({ name, checksum }) =>
        `insert into kysely_migration values ('${name}', '2026-11-21T10:00:00.000Z', ${checksum === null ? 'null' : `'${checksum}'`}, null)`,
    ),
    'create table __miniflare_do_name (id integer primary key, name text)',
    `insert into __miniflare_do_name values (1, '${name}')`,
  )
}

async function chat(): Promise<CliProject> {
  const project = new CliProject({
    'm/0001_message.sql': FIRST,
    'm/0002_index.sql': 'create index i on message (id)',
    'm/0003_person.sql': 'create table person (id integer primary key)',
  })
  const second = 'create index i on message (id)'
  const all = { '0001_message': FIRST, '0002_index': second }
  await createObject(project, { id: IDS.at(0)!, name: 'lobby', texts: all })
  await createObject(project, {
    id: IDS.at(1)!,
    name: 'kit\u001bchen',
    texts: { '0001_message': 'create table other (id)', '0003_person': null, '0004_gone': null },
  })
  await createObject(project, { id: IDS.at(2)!, name: 'new', texts: {} })
  return project
}

describe('status', () => {
  it('should say of each object which migrations are applied, pending, edited, missing, unordered', async () => {
    using project = await chat()
    const before = project.files()
    const { status, stdout, stderr } = await project.spawn('status', '--migrations', 'm')
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(stdout.replace(/^  [\d.]+ kB/gm, '  … kB').split('\n')).toEqual([
      `chat-Room  ${IDS[0]}  "lobby"`,
      '  … kB, 1 table, 2 applied, 1 pending',
      '  pending  0003_person  runs when the object wakes',
      `chat-Room  ${IDS[1]}  "kit\\u001bchen"`,
      '  … kB, 1 table, 1 edited, 1 unordered, 1 applied, 1 missing',
      '  edited  0001_message  put its text back as it was applied, and write the change into a new migration',
      '  unordered  0002_index  it sorts before one that was applied: give it a name that sorts last',
      '  missing  0004_gone  it was applied: put it back under its name',
      `chat-Room  ${IDS[2]}  "new"`,
      '  … kB, 1 table, 3 pending',
      '  pending  0001_message  runs when the object wakes',
      '  pending  0002_index  runs when the object wakes',
      '  pending  0003_person  runs when the object wakes',
      '',
    ])
    expect(project.files()).toEqual(before)
  })

  it('should say the same as JSON, and exit with 0 if nothing is wrong', async () => {
    using project = await chat()
    const { status, stdout } = await project.spawn(
      'status',
      '--object=lobby',
      '--migrations=m',
      '--json',
    )
    expect(status).toBe(0)
    const executedAt = '2026-11-21T10:00:00.000Z'
    expect(JSON.parse(stdout)).toEqual([
      {
        workerAndClass: 'chat-Room',
        class: 'Room',
        id: IDS[0],
        name: 'lobby',
        path: `${STATE}/chat-Room/${IDS[0]}.sqlite`,
        size: expect.any(Number),
        tables: 1,
        migrations: [
          { name: '0001_message', state: 'applied', executedAt },
          { name: '0002_index', state: 'applied', executedAt },
          { name: '0003_person', state: 'pending', executedAt: null },
        ],
        error: null,
      },
    ])
  })

  it('should load migrations that are modules, and know no text of their functions', async () => {
    using project = await chat()
    project.write(
      'all.ts',
      `export const migrations = {
        '0001_message': ${JSON.stringify(FIRST)},
        '0002_index': { async up() {} },
      }`,
    )
    const { stdout } = await project.run(
      'status',
      '--object=lobby',
      '--migrations=all.ts',
      '--json',
    )
    const [{ migrations }] = JSON.parse(stdout) as [{ migrations: { state: string }[] }]
    // The object has applied a SQL text of that name.
    expect(migrations.map(({ state }) => state)).toEqual(['applied', 'edited'])
  })
})

it('should say what to do where there is no local state', async () => {
  using project = new CliProject({ 'm/0001_a.sql': 'select 1' })
  expect(await project.run('status', '--migrations', 'm')).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'There is no database of a Durable Object in this directory. Run the Worker with `wrangler dev` ' +
      'and have it use one. `generate` also takes a SQLite file, or --migrations.\n',
  })
})

describe('reset', () => {
  it('should delete nothing without being told what, or without a terminal to ask', async () => {
    using project = await chat()
    const before = project.files()
    expect(await project.spawn('reset')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'Say what to delete: --class <name>, or --object <id or name>.\n',
    })
    expect(await project.spawn('reset', '--class', 'Room')).toEqual({
      status: 2,
      stdout: expect.stringContaining(`  chat-Room  ${IDS[0]}  "lobby"\n`),
      stderr: 'Nothing was deleted. Without a terminal to ask, pass --yes.\n',
    })
    expect(project.files()).toEqual(before)
  })

  it('should delete one object with its alarm, or all of a class', async () => {
    using project = await chat()
    const metadata = `${STATE}/chat-Room/metadata.sqlite`
    project.createDatabase(
      metadata,
      'create table _cf_ALARM (actor_id text primary key, scheduled_time integer)',
      ...IDS.map((id) => `insert into _cf_ALARM values ('${id}', 1)`),
    )
    project.write(`${STATE}/chat-Room/notes.txt`, 'of a person')
    project.createDatabase(`${STATE}/chat-User/${IDS[0]}.sqlite`, FIRST)
    const { status } = await project.spawn('reset', '--object', 'lobby', '--yes')
    expect(status).toBe(0)
    const left = (): string[] =>
      Object.keys(project.files()).filter((path) => /[a-z]\.\w+$/.test(path))
    const migrations = ['m/0001_message.sql', 'm/0002_index.sql', 'm/0003_person.sql']
    const user = `${STATE}/chat-User/${IDS[0]}.sqlite`
    const notes = `${STATE}/chat-Room/notes.txt`
    expect(left().toSorted()).toEqual(
      [
        `${STATE}/chat-Room/${IDS[1]}.sqlite`,
        `${STATE}/chat-Room/${IDS[2]}.sqlite`,
        metadata,
        notes,
        user,
        ...migrations,
      ].toSorted(),
    )
    const alarms = new DatabaseSync(project.path(metadata), { readOnly: true })
    expect(alarms.prepare('select actor_id as id from _cf_ALARM order by 1').all()).toEqual(
      IDS.slice(1).map((id) => ({ id })),
    )
    alarms.close()
    expect((await project.spawn('reset', '--class', 'chat-Room', '--yes')).status).toBe(0)
    expect(left().toSorted()).toEqual([notes, user, ...migrations].toSorted())
  })

  it('should delete nothing while anyone has an object of it open', async () => {
    using project = await chat()
    const path = project.path(`${STATE}/chat-Room/${IDS[1]}.sqlite`)
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `const { DatabaseSync } = require('node:sqlite')
        const database = new DatabaseSync(${JSON.stringify(path)})
        database.exec("insert into message default values")
        console.log('open')
        setInterval(() => {}, 1000)`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    try {
      await once(holder.stdout, 'data')
      expect(await project.spawn('reset', '--class', 'Room', '--yes')).toMatchObject({
        status: 2,
        stderr: `${STATE}/chat-Room/${IDS[1]}.sqlite is open. Stop \`wrangler dev\`, and whatever else has it open, first.\n`,
      })
      for (const id of IDS) {
        expect(existsSync(project.path(`${STATE}/chat-Room/${id}.sqlite`))).toBe(true)
      }
    } finally {
      holder.kill()
      await once(holder, 'exit')
    }
    expect((await project.spawn('reset', '--class', 'Room', '--yes')).status).toBe(0)
  })
})

describe('create', () => {
  it('should number the next migration as the ones before it, and write over nothing', async () => {
    using project = new CliProject()
    const create = async (name: string, ...args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await project.run('create', name, '--migrations', ...args)
      return status === 0 ? stdout.trim() : stderr.trim()
    }
    expect(await create('first', 'new/m')).toBe('new/m/0001_first.sql')
    expect(await create('add email', 'new/m')).toBe('new/m/0002_add_email.sql')
    expect(await create('code', 'new/m', '--ts')).toBe('new/m/0003_code.ts')
    expect(await create('more', 'new/m')).toBe('new/m/0004_more.ts')
    expect(project.read('new/m/0004_more.ts')).toContain('export async function up(')
    project.write('times/2026-01-02-030405_a.sql', 'select 1')
    expect(await create('b', 'times')).toMatch(/^times\/20\d\d-\d\d-\d\d-\d{6}_b\.sql$/)
    project.write('short/9_a.sql', 'select 1')
    expect(await create('b', 'short')).toMatch(/^There is no number after 9 with as many digits/)
    project.write('drizzle/meta/_journal.json', '{}')
    expect(await create('b', 'drizzle')).toMatch(/Use: drizzle-kit generate --custom --name b$/)
    expect(await create('../b', 'short')).toMatch(/^"\.\.\/b" cannot be the name of a migration\./)
  })
})

describe('a hostile database', () => {
  it('should not keep the program from going on to the next', async () => {
    using project = new CliProject()
    const views = Array.from(
      { length: 40 },
      (_, i) => `create view v${i + 1} as select a.x from v${i} as a, v${i} as b`,
    )
    project.createDatabase('views.sqlite', 'create table v0 (x)', ...views)
    project.createDatabase('good.sqlite', 'create table good (x)')
    project.write('text.sqlite', 'no database '.repeat(1000))
    const names = ['good.sqlite', 'views.sqlite', 'text.sqlite', 'good.sqlite']
    const results = await readDatabases(
      names.map((name) => project.path(name)),
      2_000,
    )
    const good = {
      content: expect.objectContaining({ tables: [expect.objectContaining({ name: 'good' })] }),
    }
    expect(results).toEqual([
      good,
      { error: expect.stringContaining('SQLite did not describe its tables within 2 s') },
      { error: expect.stringContaining('file is not a database') },
      good,
    ])
  })

  it('should say nothing to the terminal by its names', async () => {
    using project = new CliProject()
    const escape = '\u001b]0;owned\u0007\u009b31m\u202e'
    project.createDatabase(
      `${STATE}/chat-Room/${IDS[0]}.sqlite`,
      'create table kysely_migration (name text, timestamp text)',
      `insert into kysely_migration values ('${escape}', '${escape}')`,
      'create table __miniflare_do_name (id integer primary key, name text)',
      `insert into __miniflare_do_name values (1, '${escape}')`,
      `create table "t${escape}" ("c${escape}" text default '${escape}')`,
    )
    project.write('m/0001_a.sql', 'select 1')
    for (const args of [
      ['status', '--migrations', 'm'],
      ['status', '--migrations', 'm', '--json'],
      ['generate', '--object', 'nope'],
      ['generate'],
      ['reset', '--class', 'Room'],
    ]) {
      const { stdout, stderr } = await project.run(...args)
      expect(stdout + stderr).toMatch(/owned/)
      // oxlint-disable-next-line no-control-regex -- what must not be there
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })
})
