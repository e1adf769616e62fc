import { CompiledQuery, type Generated, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  DurableObjectSqliteError,
  type DurableObjectSqliteQueryEvent,
  SyncExecutor,
} from '../../src/index.js'
import { inDurableObject, isRemote, type Options, type Scope } from '../harness.js'

interface Database {
  number: { n: Generated<number> }
  other: { n: number }
}

function withNumbers(
  body: (scope: Scope<Database>) => Promise<void>,
  options?: Options,
): Promise<void> {
  return inDurableObject<Database>(async (scope) => {
    await scope.exec(`
      create table number (n integer primary key);
      create table other (n integer);
      with recursive i(n) as (select 1 union all select n + 1 from i where n < 10)
        insert into number select n from i`)
    return body(scope)
  }, options)
}

const oneToTen = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

describe('stream', () => {
  it.each([1, 3, 10, 100])('should return all rows in order in chunks of %d', (chunkSize) =>
    withNumbers(async ({ db }) => {
      const rows: number[] = []
      for await (const { n } of db.selectFrom('number').selectAll().stream(chunkSize)) {
        rows.push(n)
      }
      expect(rows).toEqual(oneToTen)
    }),
  )

  it('should return nothing for no rows', () =>
    withNumbers(async ({ db }) => {
      const rows: number[] = []
      for await (const { n } of db.selectFrom('number').selectAll().where('n', '>', 10).stream()) {
        rows.push(n)
      }
      expect(rows).toEqual([])
    }))

  // Not remote: a remote stream is two chunks ahead: test/remote/stream.test.ts.
  it.skipIf(isRemote)('should read no further than the chunk that is asked for', () => {
    const events: DurableObjectSqliteQueryEvent[] = []
    return withNumbers(
      async ({ db }) => {
        for await (const { n } of db.selectFrom('number').selectAll().stream(2)) {
          if (n === 3) {
            break
          }
        }
        // Four rows in two chunks; the platform reads one ahead, and closing the cursor reads one.
        expect(events).toMatchObject([{ rowsRead: 6, rowsWritten: 0 }])
      },
      { dialect: { onQuery: (event) => events.push(event) } },
    )
  })

  it('should close the cursor when the loop is left early', () =>
    withNumbers(async ({ db, exec }) => {
      for await (const _ of db.selectFrom('number').selectAll().stream(1)) {
        // With the cursor open, no table can be dropped.
        await expect(exec('drop table other')).rejects.toThrow('database table is locked')
        break
      }
      await db.schema.dropTable('other').execute()
      expect(await db.selectFrom('number').selectAll().execute()).toHaveLength(10)
    }))

  it('should close the cursor when the loop throws', () =>
    withNumbers(async ({ db }) => {
      const failure = new Error('in the loop')
      const loop = async (): Promise<void> => {
        for await (const _ of db.selectFrom('number').selectAll().stream(1)) {
          throw failure
        }
      }
      await expect(loop()).rejects.toBe(failure)
      await db.schema.dropTable('other').execute()
    }))

  it('should let other queries run in the loop, writes included', () =>
    withNumbers(async ({ db }) => {
      for await (const { n } of db.selectFrom('number').selectAll().stream(1)) {
        await db
          .insertInto('other')
          .values({ n: n * 10 })
          .execute()
        await db.updateTable('number').set({ n: -n }).where('n', '=', n).execute()
        if (n === 3) {
          break
        }
      }
      expect(await db.selectFrom('other').selectAll().execute()).toEqual([
        { n: 10 },
        { n: 20 },
        { n: 30 },
      ])
      expect(await db.selectFrom('number').selectAll().where('n', '<', 0).execute()).toHaveLength(3)
    }))

  it('should let a transaction run in the loop', () =>
    withNumbers(async ({ db }) => {
      for await (const { n } of db.selectFrom('number').selectAll().stream(2)) {
        await db.transaction().execute((trx) => trx.insertInto('other').values({ n }).execute())
      }
      expect(await db.selectFrom('other').selectAll().execute()).toEqual(
        oneToTen.map((n) => ({ n })),
      )
    }))

  it('should run inside a transaction and see what that wrote', () =>
    withNumbers(async ({ db }) => {
      const rows = await db.transaction().execute(async (trx) => {
        await trx.insertInto('number').values({ n: 11 }).execute()
        const seen: number[] = []
        for await (const { n } of trx.selectFrom('number').selectAll().stream(4)) {
          seen.push(n)
        }
        return seen
      })
      expect(rows).toEqual([...oneToTen, 11])
    }))

  it('should make every write before the first row of a returning, and keep it', () =>
    withNumbers(async ({ db }) => {
      for await (const { n } of db
        .updateTable('number')
        .set('n', sql`n + 100`)
        .returningAll()
        .stream(1)) {
        expect(n).toBe(101)
        break
      }
      expect(await db.selectFrom('number').selectAll().execute()).toEqual(
        oneToTen.map((n) => ({ n: n + 100 })),
      )
    }))

  it('should make every write of raw SQL before the first row too', () =>
    withNumbers(async ({ db, inside }) => {
      const connection = db.getExecutor()
      const query = CompiledQuery.raw('delete from number returning n')
      for await (const { rows } of connection.stream(query, 3)) {
        expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
        // A write that is still being read cannot be committed.
        await inside(({ storage }) => storage.sync())
        break
      }
      expect(await db.selectFrom('number').selectAll().execute()).toEqual([])
    }))

  it('should reject when a row cannot be computed, and close the cursor', () =>
    withNumbers(async ({ db }) => {
      const query = sql<{ x: unknown }>`
        select json(case when n < 3 then '{}' else '{' end) as x from number`.compile(db)
      const seen: unknown[] = []
      const loop = async (): Promise<void> => {
        for await (const { rows } of db.getExecutor().stream(query, 1)) {
          seen.push(...rows)
        }
      }
      await expect(loop()).rejects.toBeInstanceOf(DurableObjectSqliteError)
      // The platform reads one row ahead, so the second row is lost with the third.
      expect(seen).toEqual([{ x: '{}' }])
      await db.schema.dropTable('other').execute()
    }))

  it('should return what changed for a write without result columns', () =>
    withNumbers(async ({ db }) => {
      const query = db.deleteFrom('number').where('n', '<', 4).compile()
      const results: unknown[] = []
      for await (const result of db.getExecutor().stream(query, 10)) {
        results.push(result)
      }
      expect(results).toEqual([{ rows: [], numAffectedRows: 3n }])
    }))

  it('should wait for a transaction that was begun meanwhile', () =>
    withNumbers(async ({ db }) => {
      const stream = db.selectFrom('number').select('n').stream(1)
      expect(await stream.next()).toEqual({ done: false, value: { n: 1 } })
      const trx = await db.startTransaction().execute()
      const order: string[] = []
      const second = stream.next().then((next) => {
        order.push('next row')
        return next
      })
      await trx
        .updateTable('number')
        .set('n', sql`n + 100`)
        .where('n', '=', 2)
        .execute()
      await scheduler.wait(1)
      order.push('rollback')
      await trx.rollback().execute()
      expect(await second).toEqual({ done: false, value: { n: 2 } })
      expect(order).toEqual(['rollback', 'next row'])
      await stream.return?.()
    }))
})

describe('a stream on db while others go on', () => {
  const undone = new Error('undone')

  // Not remote: a remote stream is two chunks ahead, and KV and alarms are written inside the object.
  it.skipIf(isRemote).each<[string, (scope: Scope<Database>) => Promise<unknown>]>([
    ['the schema', ({ db }) => db.schema.createTable('t').addColumn('x', 'text').execute()],
    ['its first KV entry', ({ storage }) => storage.put('key', 1)],
    ['its first alarm', ({ storage }) => storage.setAlarm(Date.now() + 3_600_000)],
  ])('should say why it ends when a change of %s is rolled back', (_, change) =>
    withNumbers(async (scope) => {
      const { db } = scope
      const rows = db.selectFrom('number').selectAll().stream(1)
      await rows.next()
      await expect(
        db.transaction().execute(async (trx) => {
          await change({ ...scope, db: trx })
          throw undone
        }),
      ).rejects.toBe(undone)
      await expect(rows.next()).rejects.toMatchObject({
        code: 'SQLITE_ABORT_ROLLBACK',
        hint: expect.stringContaining(
          'Read the rows with execute(), or stream them in a transaction',
        ),
      })
    }),
  )

  it('should go on when a change of rows is rolled back', () =>
    withNumbers(async ({ db }) => {
      const read: number[] = []
      for await (const { n } of db.selectFrom('number').selectAll().stream(1)) {
        read.push(n)
        await expect(
          db.transaction().execute(async (trx) => {
            await trx.deleteFrom('number').execute()
            throw undone
          }),
        ).rejects.toBe(undone)
      }
      expect(read).toEqual(oneToTen)
    }))

  it('should miss rows that are deleted, and see rows that are inserted, meanwhile', () =>
    withNumbers(async ({ db }) => {
      const read: number[] = []
      for await (const { n } of db.selectFrom('number').selectAll().stream(1)) {
        read.push(n)
        if (n === 3) {
          await db.deleteFrom('number').where('n', '=', 7).execute()
          await db.insertInto('number').values({ n: 11 }).execute()
        }
      }
      expect(read).toEqual([1, 2, 3, 4, 5, 6, 8, 9, 10, 11])
    }))
})

describe('a stream on trx', () => {
  /** Kysely itself lets one query at a time use the transaction, and a stream until it is closed. */
  // Not remote: a SyncExecutor is for the object itself.
  it.skipIf(isRemote)(
    'should let an open SyncExecutor, and no query on trx, run inside its loop',
    () =>
      withNumbers(async ({ db, storage }) => {
        const order: string[] = []
        await db.transaction().execute(async (trx) => {
          let query: Promise<unknown> = Promise.resolve()
          for await (const { n } of trx.selectFrom('number').selectAll().limit(1).stream(1)) {
            query = trx
              .insertInto('other')
              .values({ n })
              .execute()
              .then(() => order.push('query on trx'))
            await scheduler.wait(5)
            new SyncExecutor(trx, storage).run(trx.insertInto('other').values({ n: n + 1 }))
            order.push('SyncExecutor')
          }
          order.push('end of the stream')
          await query
        })
        expect(order).toEqual(['SyncExecutor', 'end of the stream', 'query on trx'])
        expect(await db.selectFrom('other').selectAll().execute()).toEqual([{ n: 2 }, { n: 1 }])
      }),
  )

  it('should hold up commit() until it is closed, or in Kysely 0.28.17 end with it', () =>
    withNumbers(async ({ db }) => {
      const trx = await db.startTransaction().execute()
      const rows = trx.selectFrom('number').selectAll().stream(1)
      await rows.next()
      const commit = trx.commit().execute()
      await scheduler.wait(5)
      const end = trx.isCommitted
        ? rows.next().then(
            () => 'a row',
            ({ code }) => code,
          )
        : rows.return?.(undefined).then(() => 'closed')
      expect(['ERR_TRANSACTION_ENDED', 'closed']).toContain(await end)
      await commit
      expect(trx.isCommitted).toBe(true)
    }))
})
