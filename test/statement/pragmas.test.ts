import { type Generated, type Kysely, sql } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { foreignKeysSetting } from '../../src/statement/pragmas.js'
import { inDurableObject, insideObject, isRemote, type Scope } from '../harness.js'

interface Database {
  author: { id: Generated<number> }
  book: { id: Generated<number>; author_id: number }
}

async function createAuthorsAndBooks(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('author')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .execute()
  await db.schema
    .createTable('book')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('author_id', 'integer', (column) =>
      column.notNull().references('author.id').onDelete('cascade'),
    )
    .execute()
  await db.insertInto('author').values({ id: 1 }).execute()
  await db.insertInto('book').values({ id: 1, author_id: 1 }).execute()
}

/** SQLite takes all of them for `pragma foreign_keys = off`. */
const SPELLINGS = [
  'PRAGMA "foreign_keys" = OFF',
  'pragma foreign_keys /* */ = off',
  'pragma foreign_keys = +0',
  "pragma 'foreign_keys'('off')",
  'pragma [foreign_keys]=[off]',
  'pragma main."foreign_keys"=0',
  'pragma `main` . `Foreign_Keys` = No -- and not yes',
  'pragma foreign_keys = 0x0',
  'pragma foreign_keys = 0.5',
  "pragma/**/foreign_keys/**/=/**/'FALSE'",
  '\uFEFFpragma foreign_keys=off',
  '/* on */ pragma foreign_keys(false);',
]

async function foreignKeys({ exec }: Pick<Scope<Database>, 'exec'>): Promise<unknown> {
  const [row] = await exec('pragma foreign_keys')
  return row?.['foreign_keys']
}

describe('pragma database_list', () => {
  it.each(['pragma database_list', 'PRAGMA main.database_list;', '-- all\npragma database_list'])(
    'should return the only database for %j',
    (statement) =>
      inDurableObject(async ({ db }) => {
        expect(await sql.raw(statement).execute(db)).toEqual({
          rows: [{ seq: 0, name: 'main', file: '' }],
        })
      }),
  )

  it('should work inside a transaction', () =>
    inDurableObject(async ({ db }) => {
      const { rows } = await db
        .transaction()
        .execute((trx) => sql`pragma database_list`.execute(trx))
      expect(rows).toEqual([{ seq: 0, name: 'main', file: '' }])
    }))

  it('should not be told to onQuery, since it did not run', async () => {
    const onQuery = vi.fn<() => void>()
    await inDurableObject(({ db }) => sql`pragma database_list`.execute(db), {
      dialect: { onQuery },
    })
    expect(onQuery).not.toHaveBeenCalled()
  })

  it('should leave what else the platform refuses refused', () =>
    inDurableObject(async ({ db }) => {
      await expect(sql`select * from pragma_database_list`.execute(db)).rejects.toMatchObject({
        code: 'SQLITE_AUTH',
        message: 'not authorized: SQLITE_AUTH',
      })
    }))
})

describe('pragma foreign_keys', () => {
  it('should take effect after a write of the same event', () =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await createAuthorsAndBooks(db)
      expect(await sql`pragma foreign_keys = off`.execute(db)).toEqual({
        rows: [],
        numAffectedRows: 0n,
      })
      expect(await foreignKeys({ exec })).toBe(0)
      await db.insertInto('book').values({ id: 2, author_id: 9 }).execute()
      await sql`pragma foreign_keys = on`.execute(db)
      expect(await foreignKeys({ exec })).toBe(1)
      await expect(
        db.insertInto('book').values({ id: 3, author_id: 9 }).execute(),
      ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
    }))

  it('should be told to onQuery once, however often it is sent', async () => {
    const statements: string[] = []
    await inDurableObject(
      async ({ db }) => {
        await sql`create table author (id integer primary key)`.execute(db)
        await sql`pragma foreign_keys = off`.execute(db)
      },
      { dialect: { onQuery: ({ query }) => statements.push(query.sql) } },
    )
    expect(statements).toEqual([
      'create table author (id integer primary key)',
      'pragma foreign_keys = off',
    ])
  })

  it('should let the parent of other rows be rebuilt by a tool that switches it off and on', () =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await createAuthorsAndBooks(db)
      for (const statement of [
        'pragma foreign_keys = off;',
        'create table new_author (id integer primary key, name text)',
        'insert into new_author select id, null from author',
        'drop table author',
        'alter table new_author rename to author',
        'pragma foreign_keys = on;',
      ]) {
        await sql.raw(statement).execute(db)
      }
      expect(await db.selectFrom('book').selectAll().execute()).toEqual([{ id: 1, author_id: 1 }])
      expect(await foreignKeys({ exec })).toBe(1)
    }))

  it.each(['pragma foreign_keys = off', "PRAGMA main.foreign_keys('no')", 'pragma foreign_keys=0'])(
    'should be an error where SQLite ignores it: %j inside a transaction',
    (statement) =>
      inDurableObject<Database>(async ({ db, exec }) => {
        await createAuthorsAndBooks(db)
        await expect(
          db.transaction().execute(async (trx) => {
            await sql.raw(statement).execute(trx)
            await trx.schema.dropTable('author').execute()
          }),
        ).rejects.toMatchObject({
          code: 'ERR_PRAGMA_IGNORED',
          message: expect.stringContaining('withoutForeignKeys(ctx.storage, …)'),
        })
        expect(await foreignKeys({ exec })).toBe(1)
        expect(await db.selectFrom('book').selectAll().execute()).toEqual([{ id: 1, author_id: 1 }])
      }),
  )

  it.each(SPELLINGS)('should be an error inside a transaction in any spelling: %j', (statement) =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await createAuthorsAndBooks(db)
      await db.transaction().execute(async (trx) => {
        await expect(sql.raw(statement).execute(trx)).rejects.toMatchObject({
          code: 'ERR_PRAGMA_IGNORED',
        })
      })
      expect(await foreignKeys({ exec })).toBe(1)
    }),
  )

  it.each(SPELLINGS)('should take effect after a write of the same event: %j', (statement) =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await createAuthorsAndBooks(db)
      await sql.raw(statement).execute(db)
      expect(await foreignKeys({ exec })).toBe(0)
    }),
  )

  it.each([
    'pragma foreign_keys = on',
    'PRAGMA "foreign_keys"(+1)',
    'pragma foreign_keys = 1.0',
    'pragma defer_foreign_keys = on',
    'pragma recursive_triggers = off -- foreign_keys',
    'pragma foreign_keys',
    'pragma foreign_key_check',
    "select 'pragma foreign_keys = off'",
    "update book set author_id = author_id where 'pragma foreign_keys = off' = '; pragma foreign_keys = off;'",
  ])('should be let alone inside a transaction where nothing is ignored: %j', (statement) =>
    inDurableObject<Database>(async ({ db, exec }) => {
      await createAuthorsAndBooks(db)
      const flags = (): Promise<unknown> =>
        Promise.all(
          ['recursive_triggers', 'reverse_unordered_selects'].map((name) =>
            exec(`pragma ${name}`).then(([row]) => row),
          ),
        )
      await db.transaction().execute((trx) => sql.raw(statement).execute(trx))
      expect(await foreignKeys({ exec })).toBe(1)
      expect(await flags()).toEqual([{ recursive_triggers: 0 }, { reverse_unordered_selects: 0 }])
    }),
  )

  it.each([
    ...SPELLINGS.map((spelling) => [spelling, false] as const),
    ['pragma foreign_keys = on', true],
    ['PRAGMA "foreign_keys"(+1)', true],
    ['pragma foreign_keys = on; pragma foreign_keys = off; select 1', false],
    ['select 1; pragma foreign_keys = off; pragma foreign_keys = on', true],
    ['pragma foreign_keys', undefined],
    ['pragma defer_foreign_keys = on', undefined],
    ['pragma recursive_triggers = off -- foreign_keys', undefined],
    ["select ';pragma foreign_keys = off;'", undefined],
    ['select "a;pragma foreign_keys = off;", [;pragma foreign_keys = off;]', undefined],
    ['select 1 /* ;pragma foreign_keys = off; */ -- ;pragma foreign_keys = off', undefined],
    ['explain pragma foreign_keys = off', undefined],
  ] as const)('should be asked of SQLite: %j sets it to %j', (statement, setting) =>
    insideObject(({ sql }) => {
      expect(foreignKeysSetting(sql, statement)).toBe(setting)
    }),
  )

  it('should leave a stream going on, when it is asked about', () =>
    inDurableObject<Database>(async ({ db }) => {
      await createAuthorsAndBooks(db)
      await db
        .insertInto('author')
        .values([{ id: 2 }, { id: 3 }])
        .execute()
      const ids: number[] = []
      for await (const { id } of db.selectFrom('author').selectAll().orderBy('id').stream(1)) {
        ids.push(id)
        await db.transaction().execute((trx) => sql`pragma foreign_keys = on`.execute(trx))
      }
      expect(ids).toEqual([1, 2, 3])
    }))

  // Not remote: a remote query is an event of its own, with no write before it.
  it.skipIf(isRemote)('should run the statements after it in the same text no second time', () =>
    inDurableObject<Database>(async ({ db }) => {
      await createAuthorsAndBooks(db)
      await expect(
        sql.raw('pragma foreign_keys = off; drop table book').execute(db),
      ).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
    }),
  )

  it('should be an error where the dialect has no storage to wait for', () =>
    insideObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const dialect = new DurableObjectSqliteDialect(storage.sql)
      const connection = await dialect.createDriver().acquireConnection()
      await expect(
        connection.executeQuery(sql`pragma foreign_keys = off`.compile(db)),
      ).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
    }))
})
