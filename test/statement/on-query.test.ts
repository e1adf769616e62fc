import { type Generated, sql as sqlTag } from 'kysely'
import { expect, it } from 'vitest'
import {
  type DurableObjectSqliteQueryEvent,
  type QueryParameters,
  SyncExecutor,
} from '../../src/index.js'
import { inDurableObject, isRemote } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

it('should report each statement once, with the rows that Cloudflare bills', () => {
  const events: DurableObjectSqliteQueryEvent[] = []
  return inDurableObject<Database>(
    async ({ db, exec }) => {
      await exec('create table person (id integer primary key, name text unique)')
      await db
        .insertInto('person')
        .values([{ name: 'Ada' }, { name: 'Grace' }])
        .execute()
      await db.insertInto('person').values({ name: 'Eve' }).execute()
      await db.transaction().execute(async (trx) => {
        await trx.selectFrom('person').selectAll().where('name', '=', 'Ada').execute()
        await trx.updateTable('person').set({ name: 'Bob' }).where('id', '=', 1).execute()
      })
      await expect(db.insertInto('person').values({ name: 'Bob' }).execute()).rejects.toMatchObject(
        { code: 'SQLITE_CONSTRAINT_UNIQUE' },
      )
      for await (const _ of db.selectFrom('person').selectAll().stream(1)) {
        break
      }
      expect(
        events.map(({ query, rowsRead, rowsWritten }) => [query.sql, rowsRead, rowsWritten]),
      ).toEqual([
        // The first insert into a table asks once whether it has a rowid.
        ['insert into `person` (`name`) values (?), (?)', 1, 4],
        ['insert into `person` (`name`) values (?)', 0, 2],
        ['select * from `person` where `name` = ?', 1, 0],
        ['update `person` set `name` = ? where `id` = ?', 1, 2],
        ['insert into `person` (`name`) values (?)', 0, 0],
        // One row that was asked for, one that the platform read ahead, one to close the cursor.
        ['select * from `person`', 3, 0],
      ])
    },
    { dialect: { onQuery: (event) => events.push(event) } },
  )
})

// Not remote: a SyncExecutor is for the object itself.
it.skipIf(isRemote)(
  'should report a statement that failed once, with its error, through every path',
  () => {
    const events: DurableObjectSqliteQueryEvent[] = []
    return inDurableObject<Database>(
      async ({ db, sql, storage }) => {
        sql.exec(`
        create table person (id integer primary key, name text unique);
        insert into person (name) values ('Ada');
      `)
        const insert = db.insertInto('person').values({ name: 'Ada' })
        const sync = new SyncExecutor(db, storage)
        const prepared = sync.prepare((param: QueryParameters<{ name: string }>) =>
          db.insertInto('person').values({ name: param('name') }),
        )
        const paths: (() => unknown)[] = [
          () => insert.execute(),
          () => insert.stream().next(),
          () => db.transaction().execute((trx) => trx.executeQuery(insert)),
          async () => sync.execute(insert),
          async () => sync.run(insert),
          async () => prepared.execute({ name: 'Ada' }),
          async () => prepared.run({ name: 'Ada' }),
        ]
        for (const run of paths) {
          events.length = 0
          const error: unknown = await Promise.resolve(run()).catch((it: unknown) => it)
          expect(error).toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
          expect(events).toEqual([
            {
              query: expect.objectContaining({
                sql: 'insert into `person` (`name`) values (?)',
                parameters: ['Ada'],
              }),
              rowsRead: 0,
              rowsWritten: 0,
              error,
            },
          ])
          expect(events[0]?.error).toBe(error)
        }

        events.length = 0
        const readOnly = db.transaction().setAccessMode('read only')
        await expect(
          readOnly.execute((trx) => trx.deleteFrom('person').execute()),
        ).rejects.toMatchObject({ code: 'ERR_READ_ONLY_TRANSACTION' })
        expect(events).toMatchObject([
          { rowsWritten: 1, error: { code: 'ERR_READ_ONLY_TRANSACTION' } },
        ])

        events.length = 0
        await expect(
          db
            .selectFrom('person')
            .select(sqlTag`json(name)`.as('json'))
            .stream()
            .next(),
        ).rejects.toMatchObject({ code: 'SQLITE_ERROR' })
        expect(events).toMatchObject([{ rowsWritten: 0, error: { code: 'SQLITE_ERROR' } }])
      },
      { dialect: { onQuery: (event) => events.push(event) } },
    )
  },
)

// Not remote: an error that comes from another isolate is another one.
it.skipIf(isRemote)('should let its error reject the query', () => {
  const failure = new Error('in onQuery')
  return inDurableObject(
    async ({ db }) => {
      await expect(db.schema.createTable('a').addColumn('b', 'text').execute()).rejects.toBe(
        failure,
      )
    },
    {
      dialect: {
        onQuery() {
          throw failure
        },
      },
    },
  )
})
