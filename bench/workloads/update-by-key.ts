import { eq, sql as drizzleSql } from 'drizzle-orm'
import type { Expression, Kysely } from 'kysely'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const idOf = (i: number) => 1 + (i % 1000)

type Value = number | Expression<number>

const query = (db: Kysely<Database>, age: Value, id: Value) =>
  db.updateTable('person').set({ age }).where('id', '=', id)

const builder = (db: Kysely<Database>) => (i: number) => query(db, i, idOf(i)).execute()

export default {
  title: 'update by key',
  order: 4,
  operations: 4000,
  setup: fillPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) => {
        sql.exec('update person set age = ? where id = ?', i, idOf(i))
      },
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return (i) => {
        sync.run(query(db, i, idOf(i)))
      }
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const update = syncExecutor(db, storage).prepare(
        (param: QueryParameters<{ age: number; id: number }>) =>
          query(db, param('age'), param('id')),
      )
      return (i) => {
        update.run({ age: i, id: idOf(i) })
      }
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) => {
        db.update(person)
          .set({ age: i })
          .where(eq(person.id, idOf(i)))
          .run()
      }
    },
    'drizzle, prepared': (storage) => {
      const update = drizzleOrm(storage)
        .update(person)
        .set({ age: drizzleSql`${drizzleSql.placeholder('age')}` })
        .where(eq(person.id, drizzleSql.placeholder('id')))
        .prepare()
      return (i) => {
        update.run({ age: i, id: idOf(i) })
      }
    },
  },
  check: ({ sql }) => sql.exec('select count(*) as count, total(age) as ages from person').one(),
} satisfies Workload
