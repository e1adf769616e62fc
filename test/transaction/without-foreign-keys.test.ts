import { type Generated, Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteDialect, withoutForeignKeys } from '../../src/index.js'
import type { DurableObjectStorageLike } from '../../src/platform/storage.js'
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

  it('should let a transaction that begins beside it run after it', () =>
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

  it('should keep out, until it has ended, a query that waits for a transaction in it', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const others: Promise<unknown>[] = []
      const wait = (query: Promise<unknown>): void => {
        others.push(query.catch((error: unknown) => error))
      }
      await expect(
        withoutForeignKeys(storage, async () => {
          await db.transaction().execute(async (trx) => {
            wait(db.insertInto('author').values({ id: 2, name: 'Grace' }).execute())
            wait(db.insertInto('book').values({ id: 3, author_id: 9 }).execute())
            wait(db.transaction().execute((it) => it.deleteFrom('author').execute()))
            await trx.insertInto('book').values({ id: 4, author_id: 8 }).execute()
          })
        }),
      ).rejects.toMatchObject({
        code: 'ERR_FOREIGN_KEY_VIOLATION',
        message: expect.stringContaining('1 of book in author'),
      })
      expect(await Promise.all(others)).toEqual([
        expect.any(Array),
        expect.objectContaining({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }),
        expect.any(Array),
      ])
      expect(await read(db, storage)).toEqual({ ...untouched, authors: [], books: [] })
    }))

  it('should leave no violation, whenever a query is sent beside it', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const outcomes = new Set<unknown>()
      for (let ticks = 0; ticks < 250; ticks += 3) {
        let query: Promise<unknown> = Promise.resolve()
        const sendAfterTicks = async (): Promise<void> => {
          for (let i = 0; i < ticks; i++) {
            await Promise.resolve()
          }
          await db.insertInto('book').values({ id: 3, author_id: 9 }).execute()
        }
        const [result] = await Promise.allSettled([
          withoutForeignKeys(storage, () =>
            db.transaction().execute(async (trx) => {
              query = sendAfterTicks().catch(({ code }) => outcomes.add(code))
              await rebuildAuthor(trx)
            }),
          ),
        ])
        await query
        outcomes.add(result.status === 'rejected' ? result.reason.code : result.status)
        expect(await read(db, storage)).toEqual(untouched)
      }
      expect(outcomes).toEqual(new Set(['SQLITE_CONSTRAINT_FOREIGNKEY', 'fulfilled']))
    }))

  it.each<[string, (db: Kysely<Database>) => Promise<unknown>]>([
    ['db.startTransaction()', (db) => db.startTransaction().execute()],
    [
      'db.transaction() that is not awaited',
      (db) =>
        new Promise<void>((begun) => {
          const body = (): Promise<void> => {
            begun()
            return scheduler.wait(50)
          }
          db.transaction()
            .execute(body)
            .catch(() => {})
        }),
    ],
  ])('should be undone if the function leaves a transaction open: %s', (_, leave) =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      await expect(
        withoutForeignKeys(storage, async () => {
          await rebuildAuthor(db)
          await db.deleteFrom('book').execute()
          await leave(db)
        }),
      ).rejects.toMatchObject({ code: 'ERR_TRANSACTION_OPEN' })
      expect(await read(db, storage)).toEqual(untouched)
    }),
  )

  it('should let a transaction that has not begun at its end run after it', () =>
    inDurableObject<Database>(async ({ db, storage }) => {
      await createAuthorsAndBooks(db)
      const transactions: Promise<unknown>[] = []
      for (let ticks = 0; ticks < 40; ticks++) {
        await withoutForeignKeys(storage, async () => {
          const transaction = db.transaction().execute(async (trx) => {
            await trx.insertInto('book').values({ id: 3, author_id: 9 }).execute()
          })
          transactions.push(transaction.catch(({ code }) => code))
          for (let i = 0; i < ticks; i++) {
            await Promise.resolve()
          }
        })
      }
      expect(new Set(await Promise.all(transactions))).toEqual(
        new Set(['SQLITE_CONSTRAINT_FOREIGNKEY']),
      )
      expect(await read(db, storage)).toEqual(untouched)
    }))

  it.each([1, 2, 3, 4])(
    'should put foreign keys back on when statement %i about them fails',
    (failing) =>
      inDurableObject<Database>(async ({ db, storage }) => {
        await createAuthorsAndBooks(db)
        await storage.sync()
        let pragmas = 0
        const { sql } = storage
        const faulty: DurableObjectStorageLike = {
          sql: {
            exec(query, ...bindings) {
              pragmas += query.startsWith('pragma foreign_keys') ? 1 : 0
              if (query.startsWith('pragma foreign_keys') && pragmas === failing) {
                throw new Error(`injected: ${query}`)
              }
              return sql.exec(query, ...bindings)
            },
          },
          sync: () => storage.sync(),
          transaction: (closure) => storage.transaction(closure),
          transactionSync: (closure) => storage.transactionSync(closure),
        }
        const faultyDb = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(faulty) })
        await withoutForeignKeys(faulty, () => rebuildAuthor(faultyDb)).catch(() => {})
        expect(pragmas).toBeGreaterThanOrEqual(failing)
        expect(await read(db, storage)).toEqual(untouched)
      }),
  )

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
