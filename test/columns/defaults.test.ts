import type { Generated } from 'kysely'
import { expect, it } from 'vitest'
import { boolean, column, columnTypes, date, int64, json } from '../../src/columns/index.js'
import { type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  note: {
    id: Generated<string>
    text: string
    created_at: Generated<Date>
    updated_at: Generated<Date>
    version: Generated<bigint>
    tags: Generated<string[]>
    done: boolean
  }
  log: { id: Generated<string>; text: string }
}

/** Runs the body with defaults that count their calls. */
function withNotes(
  body: (scope: Scope<Database> & { readonly calls: () => number }) => Promise<void>,
) {
  let calls = 0
  const next = (): number => ++calls
  const columns = columnTypes<Database>({
    note: {
      id: column({ default: () => `id ${next()}` }),
      created_at: date('milliseconds', { default: () => new Date(next()) }),
      updated_at: date('iso', {
        default: () => new Date(next()),
        onUpdate: () => new Date(1_000_000 + next()),
      }),
      version: int64({ default: () => 2n ** 60n + BigInt(next()) }),
      tags: json<string[]>({ default: () => [`tag ${next()}`] }),
      done: boolean(),
    },
  })
  return inDurableObject<Database>(
    (scope) => {
      scope.sql.exec(`
        create table note (id text primary key, text text, created_at integer, updated_at text,
          version integer, tags text, done integer);
        create table log (id text, text text);
      `)
      return body({ ...scope, calls: () => calls })
    },
    { dialect: { columns } },
  )
}

it('should call each default once for each row that leaves the column out', () =>
  withNotes(async ({ db, calls }) => {
    await db
      .insertInto('note')
      .values([
        { text: 'a', done: true },
        { text: 'b', done: false, id: 'own', tags: [] },
      ])
      .execute()
    expect(calls()).toBe(8)
    expect(await db.selectFrom('note').selectAll().execute()).toEqual([
      {
        id: 'id 1',
        text: 'a',
        created_at: new Date(3),
        updated_at: new Date(4),
        version: 2n ** 60n + 5n,
        tags: ['tag 2'],
        done: true,
      },
      {
        id: 'own',
        text: 'b',
        created_at: new Date(6),
        updated_at: new Date(7),
        version: 2n ** 60n + 8n,
        tags: [],
        done: false,
      },
    ])
  }))

it('should call defaults for an insert of default values', () =>
  withNotes(async ({ db, calls }) => {
    const row = await db
      .insertInto('note')
      .defaultValues()
      .returning(['id', 'tags', 'text'])
      .execute()
    expect([row, calls()]).toEqual([[{ id: 'id 1', tags: ['tag 5'], text: null }], 5])
  }))

it('should call them for thousands of rows, and for each execution of one compiled query', () =>
  withNotes(async ({ db, storage, calls }) => {
    const rows = Array.from({ length: 2000 }, (_, i) => ({ text: `${i}`, done: i % 2 === 0 }))
    const query = db.insertInto('note').values(rows)
    expect(calls()).toBe(0)
    const compiled = query.compile()
    await db.executeQuery(compiled)
    expect(calls()).toBe(10_000)
    await db.executeQuery(compiled)
    expect(calls()).toBe(20_000)
    const sync = new SyncExecutor(db, storage)
    const prepared = sync.prepare(() => query)
    prepared.run()
    prepared.run()
    expect(calls()).toBe(40_000)
    expect(
      await db
        .selectFrom('note')
        .select((eb) => [
          eb.fn.count<number>('id').distinct().as('ids'),
          eb.fn.count<number>('version').distinct().as('versions'),
          eb.fn.max('created_at').as('max'),
        ])
        .execute(),
    ).toEqual([{ ids: 8000, versions: 8000, max: new Date(39_997) }])
  }))

it('should call them for each execution of a prepared query', () =>
  withNotes(async ({ db, storage, calls }) => {
    const sync = new SyncExecutor(db, storage)
    const insert = sync.prepare((param: QueryParameters<{ text: string; done: boolean }>) =>
      db.insertInto('note').values({ text: param('text'), done: param('done') }),
    )
    expect(calls()).toBe(0)
    insert.run({ text: 'a', done: true })
    insert.run({ text: 'b', done: false })
    expect(calls()).toBe(10)
    expect(await db.selectFrom('note').select(['id', 'text', 'done']).execute()).toEqual([
      { id: 'id 1', text: 'a', done: true },
      { id: 'id 6', text: 'b', done: false },
    ])
  }))

it('should call onUpdate for an update and an upsert that do not set the column', () =>
  withNotes(async ({ db, calls }) => {
    await db
      .insertInto('note')
      .values([
        { id: 'a', text: 'a', done: true },
        { id: 'b', text: 'b', done: true },
      ])
      .execute()
    const before = calls()
    await db.updateTable('note').set({ done: false }).execute()
    expect(calls() - before).toBe(1)
    const at = new Date(1_000_000 + calls())
    expect(await db.selectFrom('note').select('updated_at').execute()).toEqual([
      { updated_at: at },
      { updated_at: at },
    ])
    await db
      .updateTable('note')
      .set({ updated_at: new Date(5) })
      .where('id', '=', 'a')
      .execute()
    expect(
      await db.selectFrom('note').select('updated_at').where('id', '=', 'a').execute(),
    ).toEqual([{ updated_at: new Date(5) }])
    expect(
      await db
        .insertInto('note')
        .values({ id: 'a', text: 'c', done: true })
        .onConflict((oc) => oc.column('id').doUpdateSet({ text: 'd' }))
        .returning(['text', 'updated_at'])
        .execute(),
    ).toEqual([{ text: 'd', updated_at: new Date(1_000_000 + calls()) }])
    await db
      .insertInto('note')
      .values({ id: 'a', text: 'c', done: true })
      .onConflict((oc) => oc.column('id').doNothing())
      .execute()
    expect(await db.selectFrom('note').select('text').where('id', '=', 'a').execute()).toEqual([
      { text: 'd' },
    ])
  }))

it('should refuse an insert from a select that leaves out a column with a default', () =>
  withNotes(async ({ db, sql }) => {
    sql.exec("insert into log values ('x', 'y')")
    await expect(
      db
        .insertInto('note')
        .columns(['text', 'done'])
        .expression(db.selectFrom('log').select((eb) => ['text', eb.val(true).as('done')]))
        .execute(),
    ).rejects.toMatchObject({
      code: 'ERR_COLUMN_DEFAULT',
      message:
        'note.id has a default, which cannot be called for the rows of a select. Name the column, ' +
        'and select a value for it.',
    })
  }))

it('should tell onQuery the values that the query ran with', () => {
  const seen: unknown[] = []
  const columns = columnTypes<Pick<Database, 'log'>>({
    log: { id: column({ default: () => 'called' }) },
  })
  return inDurableObject<Pick<Database, 'log'>>(
    async ({ db, sql }) => {
      sql.exec('create table log (id text, text text)')
      await db.insertInto('log').values({ text: 'a' }).execute()
      expect(seen).toEqual([['a', 'called']])
    },
    { dialect: { columns, onQuery: ({ query }) => seen.push(query.parameters) } },
  )
})

it('should reject with what a default throws, and write nothing', () => {
  const failure = new Error('no')
  const columns = columnTypes<Pick<Database, 'log'>>({
    log: {
      id: column({
        default: (): string => {
          throw failure
        },
      }),
    },
  })
  return inDurableObject<Pick<Database, 'log'>>(
    async ({ db, sql }) => {
      sql.exec('create table log (id text, text text)')
      await expect(db.insertInto('log').values({ text: 'a' }).execute()).rejects.toBe(failure)
      expect(sql.exec('select * from log').toArray()).toEqual([])
    },
    { dialect: { columns } },
  )
})
