import { drizzle } from 'drizzle-orm/durable-sqlite'
import { eq } from 'drizzle-orm'
import { expect, expectTypeOf, it } from 'vitest'
import { Kysely } from 'kysely'
import { type DrizzleDatabase, drizzleColumns } from '../../src/drizzle/index.js'
import { DurableObjectSqliteDialect, SyncExecutor } from '../../src/index.js'
import { inDurableObject } from '../harness.js'
import * as schema from './schema.js'
import { EVERY_MODE, everyMode, note } from './schema.js'

type Database = DrizzleDatabase<typeof schema>

const ROWS: (typeof everyMode.$inferSelect)[] = [
  {
    id: 1,
    integer: 42,
    flag: true,
    seconds: new Date(1_700_000_000_000),
    milliseconds: new Date(1_700_000_000_123),
    text: '["not JSON"]',
    status: 'open',
    json: { tags: ['a', '__proto__'] },
    real: 0.5,
    numeric: '12.5',
    numericNumber: 7,
    numericBigint: 123n,
    blob: Buffer.from([0, 255]),
    blobJson: { tags: ['b'] },
    blobBigint: 2n ** 70n,
    custom: 'abc',
  },
  {
    id: 2,
    integer: -1,
    flag: false,
    seconds: new Date(-1000),
    milliseconds: new Date(0),
    text: '',
    status: 'done',
    json: { tags: [] },
    real: -1,
    numeric: '3',
    numericNumber: 0.25,
    numericBigint: -5n,
    blob: Buffer.from([]),
    blobJson: { tags: [] },
    blobBigint: -1n,
    custom: '',
  },
  {
    id: 3,
    integer: null,
    flag: null,
    seconds: null,
    milliseconds: null,
    text: null,
    status: null,
    json: null,
    real: null,
    numeric: null,
    numericNumber: null,
    numericBigint: null,
    blob: null,
    blobJson: null,
    blobBigint: null,
    custom: null,
  },
]

/** As Kysely has them: by the names of the database. */
const KYSELY_ROWS = ROWS.map(({ numericNumber, numericBigint, blobJson, blobBigint, ...row }) => ({
  ...row,
  numeric_number: numericNumber,
  numeric_bigint: numericBigint,
  blob_json: blobJson,
  blob_bigint: blobBigint,
}))

function withDrizzle(
  body: (scope: {
    orm: ReturnType<typeof drizzle<typeof schema>>
    db: Kysely<Database>
    storage: DurableObjectStorage
  }) => Promise<void>,
): Promise<void> {
  return inDurableObject(({ storage }) => {
    storage.sql.exec(EVERY_MODE)
    storage.sql.exec(`create table note (
      id text primary key, title text not null, pinned integer not null, createdAt integer,
      updatedAt integer, setBySqlite text default 'by SQLite'
    )`)
    const db = new Kysely<Database>({
      dialect: new DurableObjectSqliteDialect(storage, { columns: drizzleColumns(schema) }),
    })
    return body({ orm: drizzle(storage, { schema }), db, storage })
  })
}

function stored(sql: SqlStorage, table: string): unknown {
  return sql.exec(`select * from ${table}`).toArray()
}

it('should read what Drizzle writes, in every mode', () =>
  withDrizzle(async ({ orm, db, storage }) => {
    orm.insert(everyMode).values(ROWS).run()
    expect(await db.selectFrom('every_mode').selectAll().execute()).toEqual(KYSELY_ROWS)
    expect(new SyncExecutor(db, storage).execute(db.selectFrom('every_mode').selectAll())).toEqual(
      orm
        .select()
        .from(everyMode)
        .all()
        .map((_, i) => KYSELY_ROWS[i]),
    )
  }))

it('should write what Drizzle reads, in every mode, and store the same', () =>
  withDrizzle(async ({ orm, db, storage }) => {
    await db.insertInto('every_mode').values(KYSELY_ROWS).execute()
    expect(orm.select().from(everyMode).all()).toEqual(ROWS)
    const byKysely = stored(storage.sql, 'every_mode')
    orm.delete(everyMode).run()
    orm.insert(everyMode).values(ROWS).run()
    expect(stored(storage.sql, 'every_mode')).toEqual(byKysely)
  }))

it.each(Object.keys(KYSELY_ROWS[0]!).map((name) => [name as keyof (typeof KYSELY_ROWS)[0]]))(
  'should find a row by its %s',
  (name) =>
    withDrizzle(async ({ db }) => {
      await db.insertInto('every_mode').values(KYSELY_ROWS).execute()
      const found = await db
        .selectFrom('every_mode')
        .select('id')
        .where(name, '=', KYSELY_ROWS[0]![name] as never)
        .execute()
      expect(found).toEqual([{ id: 1 }])
    }),
)

it('should read integers exactly where Drizzle rounds them', () =>
  withDrizzle(async ({ db }) => {
    const value = 2n ** 60n + 1n
    await db.insertInto('every_mode').values({ id: 1, numeric_bigint: value, blob: null }).execute()
    expect(await db.selectFrom('every_mode').selectAll().execute()).toMatchObject([
      { numeric_bigint: value },
    ])
  }))

it('should call defaults where Drizzle does, and onUpdate', () =>
  withDrizzle(async ({ orm, db }) => {
    const [byDrizzle] = orm.insert(note).values({ title: 'a' }).returning().all()
    const byKysely = await db
      .insertInto('note')
      .values({ title: 'b' })
      .returningAll()
      .executeTakeFirstOrThrow()
    expect(byDrizzle).toEqual({
      id: 'id 1',
      title: 'a',
      pinned: true,
      createdAt: new Date(2000),
      updatedAt: new Date(3),
      setBySqlite: 'by SQLite',
    })
    expect(byKysely).toEqual({
      id: 'id 4',
      title: 'b',
      pinned: true,
      createdAt: new Date(5000),
      updatedAt: new Date(6),
      setBySqlite: 'by SQLite',
    })
    expect(
      orm.update(note).set({ title: 'c' }).where(eq(note.title, 'a')).returning().all(),
    ).toEqual([{ ...byDrizzle, title: 'c', updatedAt: new Date(7) }])
    expect(
      await db
        .updateTable('note')
        .set({ title: 'd' })
        .where('title', '=', 'b')
        .returningAll()
        .execute(),
    ).toEqual([{ ...byKysely, title: 'd', updatedAt: new Date(8) }])
    const upserted = { title: 'e', updatedAt: new Date(10) }
    expect(
      await db
        .insertInto('note')
        .values({ id: 'id 1', title: 'x', createdAt: null })
        .onConflict((oc) => oc.column('id').doUpdateSet({ title: 'e' }))
        .returning(['title', 'updatedAt'])
        .execute(),
    ).toEqual([upserted])
  }))

it.each(['snake_case', 'camelCase'] as const)('should hold the casing %s', (casing) =>
  inDurableObject(async ({ storage }) => {
    const orm = drizzle(storage, { casing })
    const name = casing === 'snake_case' ? 'created_at' : 'createdAt'
    storage.sql.exec(`create table note (id text, title text, pinned integer, ${name} integer,
      ${casing === 'snake_case' ? 'updated_at, set_by_sqlite' : 'updatedAt, setBySqlite'})`)
    const db = new Kysely<DrizzleDatabase<{ note: typeof note }, 'snake_case'>>({
      dialect: new DurableObjectSqliteDialect(storage, {
        columns: drizzleColumns({ note }, { casing }),
      }),
    })
    orm
      .insert(note)
      .values({ title: 'a', createdAt: new Date(5000) })
      .run()
    expect(
      await db
        .selectFrom('note')
        .select([name as 'created_at', 'pinned'])
        .execute(),
    ).toEqual([{ [name]: new Date(5000), pinned: true }])
  }),
)

it('should refuse a default function that returns SQL', () => {
  const columns = drizzleColumns({
    t: schema.sqlDefault,
  })
  return inDurableObject<{ t: { id: number; name: string | undefined } }>(
    async ({ db, sql }) => {
      sql.exec('create table t (id integer, name text)')
      await expect(db.insertInto('t').values({ id: 1, name: undefined }).execute()).rejects.toThrow(
        /^A default function of the Drizzle schema returned SQL/,
      )
    },
    { dialect: { columns } },
  )
})

it('should have the types of the schema', () => {
  expectTypeOf<Database['note']['pinned']>().toEqualTypeOf<
    import('kysely').ColumnType<boolean, boolean | undefined, boolean | undefined>
  >()
  expectTypeOf<keyof Database>().toEqualTypeOf<'every_mode' | 'note' | 't'>()
  expectTypeOf<keyof DrizzleDatabase<{ note: typeof note }, 'snake_case'>['note']>().toEqualTypeOf<
    'id' | 'title' | 'pinned' | 'created_at' | 'updated_at' | 'set_by_sqlite'
  >()
})
