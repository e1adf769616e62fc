import { sql as drizzleSql, eq } from 'drizzle-orm'
import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { type Generated, Kysely } from 'kysely'
import {
  DurableObjectSqliteDialect,
  type QueryParameters,
  SyncExecutor,
} from 'kysely-durable-sqlite'
import { boolean, columnTypes, date, json } from 'kysely-durable-sqlite/columns'
import { drizzleOrm } from '../clients.ts'
import type { Workload } from '../workload.ts'

/** What the option `columns` costs: 8 columns, of which three have a codec. */

interface Meta {
  tags: string[]
  size: number
}

interface Task<Flag, At, Json> {
  id: Generated<number>
  title: string
  owner: string
  score: number
  price: number
  done: Flag
  at: At
  meta: Json
}

interface Stored {
  task: Task<number, number, string>
}

interface Decoded {
  task: Task<boolean, Date, Meta>
}

const columns = columnTypes<Decoded>({
  task: { done: boolean(), at: date('milliseconds'), meta: json<Meta>() },
})

const task = sqliteTable('task', {
  id: integer().primaryKey(),
  title: text().notNull(),
  owner: text().notNull(),
  score: integer().notNull(),
  price: real().notNull(),
  done: integer({ mode: 'boolean' }).notNull(),
  at: integer({ mode: 'timestamp_ms' }).notNull(),
  meta: text({ mode: 'json' }).$type<Meta>().notNull(),
})

function createTask({ sql }: DurableObjectStorage): void {
  sql.exec(`
    create table if not exists task (
      id integer primary key, title text not null, owner text not null, score integer not null,
      price real not null, done integer not null, at integer not null, meta text not null
    );
    delete from task;
  `)
}

function fillTask(storage: DurableObjectStorage): void {
  createTask(storage)
  storage.sql.exec(`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
    insert into task
    select i, 'Task ' || i, 'owner ' || i, i * 7, i * 1.5, i % 2, 1795255200000 + i,
      '{"tags":["a","b"],"size":' || i || '}'
    from n;
  `)
}

function plain(storage: DurableObjectStorage): { db: Kysely<Stored>; sync: SyncExecutor } {
  const db = new Kysely<Stored>({ dialect: new DurableObjectSqliteDialect(storage) })
  return { db, sync: new SyncExecutor(db, storage) }
}

function withColumns(storage: DurableObjectStorage): { db: Kysely<Decoded>; sync: SyncExecutor } {
  const db = new Kysely<Decoded>({ dialect: new DurableObjectSqliteDialect(storage, { columns }) })
  return { db, sync: new SyncExecutor(db, storage) }
}

/** As a user does it who has no `columns`. */
function decodeByHand(row: Stored['task'] & { id: unknown }): unknown {
  const decoded = row as unknown as Record<string, unknown>
  decoded['done'] = row.done === 1
  decoded['at'] = new Date(row.at)
  decoded['meta'] = JSON.parse(row.meta)
  return decoded
}

/** Something that all variants return the same of. */
function checked(rows: readonly { id: unknown }[]): unknown {
  return JSON.stringify(rows)
}

const reading: Workload = {
  title: '1000 rows × 8 columns, three of them decoded',
  order: 200,
  operations: 8,
  onlyByName: true,
  setup: fillTask,
  variants: {
    'prepared, by hand': (storage) => {
      const { db, sync } = plain(storage)
      const select = sync.prepare(() => db.selectFrom('task').selectAll())
      return () => {
        const rows = select.execute()
        for (const row of rows) {
          decodeByHand(row)
        }
        return rows
      }
    },
    'prepared, columns': (storage) => {
      const { db, sync } = withColumns(storage)
      const select = sync.prepare(() => db.selectFrom('task').selectAll())
      return () => select.execute()
    },
    'builder, columns': (storage) => {
      const { db } = withColumns(storage)
      return () => db.selectFrom('task').selectAll().execute()
    },
    'drizzle, prepared': (storage) => {
      const select = drizzleOrm(storage).select().from(task).prepare()
      return () => select.all()
    },
  },
}

const rowOf = (i: number) => ({
  title: `Task ${i}`,
  owner: 'owner',
  score: i,
  price: 1.5,
})

const metaOf = (i: number): Meta => ({ tags: ['a', 'b'], size: i })

type Values<Flag, At, Json> = Omit<Task<Flag, At, Json>, 'id'>

const inserting: Workload = {
  title: 'insert of one row, three of eight columns encoded',
  order: 201,
  operations: 1500,
  onlyByName: true,
  setup: createTask,
  check: ({ sql }) => checked(sql.exec('select * from task').toArray() as { id: unknown }[]),
  variants: {
    'prepared, as stored': (storage) => {
      const { db, sync } = plain(storage)
      const insert = sync.prepare((param: QueryParameters<Values<number, number, string>>) =>
        db.insertInto('task').values({
          title: param('title'),
          owner: param('owner'),
          score: param('score'),
          price: param('price'),
          done: param('done'),
          at: param('at'),
          meta: param('meta'),
        }),
      )
      return (i) =>
        insert.run({ ...rowOf(i), done: i % 2, at: i, meta: `{"tags":["a","b"],"size":${i}}` })
    },
    'prepared, by hand': (storage) => {
      const { db, sync } = plain(storage)
      const insert = sync.prepare((param: QueryParameters<Values<number, number, string>>) =>
        db.insertInto('task').values({
          title: param('title'),
          owner: param('owner'),
          score: param('score'),
          price: param('price'),
          done: param('done'),
          at: param('at'),
          meta: param('meta'),
        }),
      )
      return (i) =>
        insert.run({
          ...rowOf(i),
          done: i % 2 === 1 ? 1 : 0,
          at: new Date(i).getTime(),
          meta: JSON.stringify(metaOf(i)),
        })
    },
    'prepared, columns': (storage) => {
      const { db, sync } = withColumns(storage)
      const insert = sync.prepare((param: QueryParameters<Values<boolean, Date, Meta>>) =>
        db.insertInto('task').values({
          title: param('title'),
          owner: param('owner'),
          score: param('score'),
          price: param('price'),
          done: param('done'),
          at: param('at'),
          meta: param('meta'),
        }),
      )
      return (i) => insert.run({ ...rowOf(i), done: i % 2 === 1, at: new Date(i), meta: metaOf(i) })
    },
    builder: (storage) => {
      const { db } = plain(storage)
      return (i) =>
        db
          .insertInto('task')
          .values({ ...rowOf(i), done: i % 2, at: i, meta: JSON.stringify(metaOf(i)) })
          .execute()
    },
    'builder, columns': (storage) => {
      const { db } = withColumns(storage)
      return (i) =>
        db
          .insertInto('task')
          .values({ ...rowOf(i), done: i % 2 === 1, at: new Date(i), meta: metaOf(i) })
          .execute()
    },
    'drizzle, prepared': (storage) => {
      const placeholder = drizzleSql.placeholder
      const insert = drizzleOrm(storage)
        .insert(task)
        .values({
          title: placeholder('title'),
          owner: placeholder('owner'),
          score: placeholder('score'),
          price: placeholder('price'),
          done: placeholder('done'),
          at: placeholder('at'),
          meta: placeholder('meta'),
        })
        .prepare()
      return (i) => insert.run({ ...rowOf(i), done: i % 2 === 1, at: new Date(i), meta: metaOf(i) })
    },
  },
}

const idOf = (i: number) => 1 + (i % 1000)

const byKey: Workload = {
  title: 'select by key, three of eight columns decoded',
  order: 202,
  operations: 2500,
  onlyByName: true,
  setup: fillTask,
  variants: {
    'prepared, by hand': (storage) => {
      const { db, sync } = plain(storage)
      const select = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.selectFrom('task').selectAll().where('id', '=', param('id')),
      )
      return (i) => decodeByHand(select.executeTakeFirst({ id: idOf(i) })!)
    },
    'prepared, as stored': (storage) => {
      const { db, sync } = plain(storage)
      const select = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.selectFrom('task').selectAll().where('id', '=', param('id')),
      )
      // The last one is decoded, so that the check can compare it.
      return (i) => {
        const row = select.executeTakeFirst({ id: idOf(i) })!
        return i === 2499 ? decodeByHand(row) : row
      }
    },
    'prepared, columns': (storage) => {
      const { db, sync } = withColumns(storage)
      const select = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.selectFrom('task').selectAll().where('id', '=', param('id')),
      )
      return (i) => select.executeTakeFirst({ id: idOf(i) })
    },
    'drizzle, prepared': (storage) => {
      const select = drizzleOrm(storage)
        .select()
        .from(task)
        .where(eq(task.id, drizzleSql.placeholder('id')))
        .prepare()
      return (i) => select.get({ id: idOf(i) })
    },
  },
}

export default [reading, inserting, byKey]
