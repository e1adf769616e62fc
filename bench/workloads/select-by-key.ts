import { eq, sql as drizzleSql } from 'drizzle-orm'
import type { Expression, Kysely } from 'kysely'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const idOf = (i: number) => 1 + (i % 1000)

const query = (db: Kysely<Database>, id: number | Expression<number>) =>
  db.selectFrom('person').select(['id', 'name', 'email', 'age']).where('id', '=', id)

const builder = (db: Kysely<Database>) => (i: number) => query(db, idOf(i)).executeTakeFirst()

export default {
  title: 'select by key',
  order: 3,
  inSummary: true,
  operations: 2500,
  setup: fillPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) =>
        sql.exec('select id, name, email, age from person where id = ?', idOf(i)).toArray()[0],
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return (i) => sync.executeTakeFirst(query(db, idOf(i)))
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const select = syncExecutor(db, storage).prepare((param: QueryParameters<{ id: number }>) =>
        query(db, param('id')),
      )
      return (i) => select.executeTakeFirst({ id: idOf(i) })
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) =>
        db
          .select()
          .from(person)
          .where(eq(person.id, idOf(i)))
          .get()
    },
    'drizzle, prepared': (storage) => {
      const select = drizzleOrm(storage)
        .select()
        .from(person)
        .where(eq(person.id, drizzleSql.placeholder('id')))
        .prepare()
      return (i) => select.get({ id: idOf(i) })
    },
  },
} satisfies Workload
