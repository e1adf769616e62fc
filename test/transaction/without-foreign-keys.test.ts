import { type Generated, type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { withoutForeignKeys } from '../../src/index.js'
import { inDurableObject, newObject } from '../harness.js'

interface Database {
  author: { id: Generated<number>; name: string | null }
  book: { id: Generated<number>; author_id: number }
}

async function createAuthorsAndBooks(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('author')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .execute()
  await db.schema
    .createTable('book')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('author_id', 'integer', (column) =>
      column.notNull().references('author.id').onDelete('cascade'),
    )
    .execute()
  await db.insertInto('author').values({ id: 1, name: 'Ada' }).execute()
  await db
    .insertInto('book')
    .values([
      { id: 1, author_id: 1 },
      { id: 2, author_id: 1 },
    ])
    .execute()
}

async function rebuildAuthor(db: Kysely<Database>): Promise<void> {
  await sql`create table new_author (id integer primary key, name text not null)`.execute(db)
  await sql`insert into new_author select id, name from author`.execute(db)
  await db.schema.dropTable('author').execute()
  await sql`alter table new_author rename to author`.execute(db)
}

async function read(db: Kysely<Database>, storage: DurableObjectStorage): Promise<unknown> {
  return {
    authors: await db.selectFrom('author').selectAll().execute(),
    books: await db.selectFrom('book').selectAll().execute(),
    foreignKeys: storage.sql.exec('pragma foreign_keys').one()['foreign_keys'],
    tables: [
      ...storage.sql.exec(`select name from sqlite_master where name like '%author'`).raw(),
    ].flat(),
  }
}

const untouched = {
  authors: [{ id: 1, name: 'Ada' }],
  books: [
    { id: 1, author_id: 1 },
    { id: 2, author_id: 1 },
  ],
  foreignKeys: 1,
  tables: ['author'],
}

describe('withoutForeignKeys', () => {
  it('should keep the rows that refer to a table that is rebuilt', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const result = await withoutForeignKeys(storage, async () => {
        await rebuildAuthor(db)
        return 'rebuilt'
      })
      expect(result).toBe('rebuilt')
      expect(await read(db, storage)).toEqual(untouched)
      expect(await db.introspection.getTables()).toMatchObject([
        { name: 'author', columns: [{ name: 'id' }, { name: 'name', isNullable: false }] },
        { name: 'book' },
      ])
      await expect(
        db.insertInto('book').values({ id: 3, author_id: 9 }).execute(),
      ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
    }))

  it('should undo everything, KV included, when the function throws', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const failure = new Error('failure')
      await expect(
        withoutForeignKeys(storage, async () => {
          await storage.put('key', 'value')
          await rebuildAuthor(db)
          throw failure
        }),
      ).rejects.toBe(failure)
      expect(await read(db, storage)).toEqual(untouched)
      expect(await storage.get('key')).toBeUndefined()
    }))

  it('should undo everything when a row refers to one that is not there', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await expect(
        withoutForeignKeys(storage, async () => {
          await rebuildAuthor(db)
          await db.deleteFrom('author').execute()
        }),
      ).rejects.toMatchObject({
        code: 'ERR_FOREIGN_KEY_VIOLATION',
        message:
          'Rows refer to rows that are not there: 2 of book in author. Everything is ' +
          'undone. Keep the rows that others refer to, or delete both.',
      })
      expect(await read(db, storage)).toEqual(untouched)
    }))

  it('should let a tool switch foreign keys off and on, in transactions too', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await withoutForeignKeys(storage, async () => {
        await sql`pragma foreign_keys = off`.execute(db)
        await db.transaction().execute(async (trx) => {
          await sql`pragma foreign_keys = off`.execute(trx)
          await rebuildAuthor(trx)
          await sql`pragma foreign_keys = on`.execute(trx)
        })
        await sql`pragma foreign_keys = on`.execute(db)
      })
      expect(await read(db, storage)).toEqual(untouched)
    }))

  it('should put back what a transaction inside it has undone, and only that', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await withoutForeignKeys(storage, async () => {
        await db.insertInto('author').values({ id: 2, name: 'Grace' }).execute()
        const trx = await db.startTransaction().execute()
        await trx.deleteFrom('author').execute()
        await trx.rollback().execute()
      })
      expect(await db.selectFrom('author').select('id').execute()).toEqual([{ id: 1 }, { id: 2 }])
    }))

  it('should undo nothing of other requests, in blockConcurrencyWhile()', async () => {
    const stub = newObject()
    await inDurableObject<Database>(({ db }) => createAuthorsAndBooks(db), { stub })
    const failure = new Error('failure')
    await Promise.all([
      inDurableObject<Database>(
        ({ ctx, db, storage }) =>
          ctx.blockConcurrencyWhile(async () => {
            const failing = withoutForeignKeys(storage, async () => {
              await rebuildAuthor(db)
              await storage.sync()
              throw failure
            })
            await expect(failing).rejects.toBe(failure)
          }),
        { stub },
      ),
      ...[2, 3, 4].map((id) =>
        inDurableObject<Database>(
          async ({ db, storage }) => {
            await storage.sync()
            await db.insertInto('author').values({ id, name: 'Grace' }).execute()
          },
          { stub },
        ),
      ),
    ])
    await inDurableObject<Database>(
      async ({ db, storage }) => {
        expect(await read(db, storage)).toEqual({
          ...untouched,
          authors: [
            ...untouched.authors,
            { id: 2, name: 'Grace' },
            { id: 3, name: 'Grace' },
            { id: 4, name: 'Grace' },
          ],
        })
      },
      { stub },
    )
  })

  it('should switch foreign keys back on while other requests write', async () => {
    const stub = newObject()
    await inDurableObject<Database>(({ db }) => createAuthorsAndBooks(db), { stub })
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        inDurableObject<Database>(
          async ({ db, storage }) => {
            if (i === 20) {
              await withoutForeignKeys(storage, () => rebuildAuthor(db))
            } else {
              await db
                .insertInto('author')
                .values({ id: i + 2, name: 'Grace' })
                .execute()
              await storage.put(`${i}`, i)
            }
          },
          { stub },
        ),
      ),
    )
    await inDurableObject<Database>(
      async ({ db, storage }) => {
        expect(await db.selectFrom('author').select('id').execute()).toHaveLength(40)
        expect(storage.sql.exec('pragma foreign_keys').one()).toEqual({ foreign_keys: 1 })
      },
      { stub },
    )
  })

  it('should take in a transaction that begins beside it, instead of waiting for it', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await storage.sync()
      await Promise.all([
        withoutForeignKeys(storage, () => rebuildAuthor(db)),
        db
          .transaction()
          .execute((trx) => trx.insertInto('book').values({ id: 3, author_id: 1 }).execute()),
      ])
      expect(await db.selectFrom('book').select('id').execute()).toEqual([
        { id: 1 },
        { id: 2 },
        { id: 3 },
      ])
      expect(await read(db, storage)).toMatchObject({ foreignKeys: 1, tables: ['author'] })
    }))

  it('should be refused beside an open transaction', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const trx = await db.startTransaction().execute()
      await expect(withoutForeignKeys(storage, () => rebuildAuthor(db))).rejects.toMatchObject({
        code: 'ERR_PRAGMA_IGNORED',
      })
      await trx.insertInto('author').values({ id: 2, name: 'Grace' }).execute()
      await trx.commit().execute()
      expect(await read(db, storage)).toEqual({
        ...untouched,
        authors: [
          { id: 1, name: 'Ada' },
          { id: 2, name: 'Grace' },
        ],
      })
    }))

  it('should be refused inside a transaction of the platform', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await storage.transaction(() =>
        expect(withoutForeignKeys(storage, () => rebuildAuthor(db))).rejects.toMatchObject({
          code: 'ERR_PRAGMA_IGNORED',
        }),
      )
      expect(await read(db, storage)).toEqual(untouched)
    }))

  it('should be refused inside a transaction, before the function runs', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await expect(
        db.transaction().execute((trx) => withoutForeignKeys(storage, () => rebuildAuthor(trx))),
      ).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
      expect(await read(db, storage)).toEqual(untouched)
    }))

  it('should be refused inside itself', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await expect(
        withoutForeignKeys(storage, async () => {
          await rebuildAuthor(db)
          await withoutForeignKeys(storage, async () => {})
        }),
      ).rejects.toMatchObject({ code: 'ERR_FOREIGN_KEYS_OFF' })
      expect(await read(db, storage)).toEqual(untouched)
      await withoutForeignKeys(storage, () => rebuildAuthor(db))
      expect(await read(db, storage)).toEqual(untouched)
    }))
})
