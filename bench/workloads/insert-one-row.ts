import { sql as drizzleSql } from 'drizzle-orm'
import type { Kysely } from 'kysely'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { createPerson, person, type Database, type NewPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'

const builder = (db: Kysely<Database>) => (i: number) =>
  db.insertInto('person').values({ name: NAME, email: EMAIL, age: i }).execute()

export default {
  title: 'insert one row',
  order: 1,
  inSummary: true,
  operations: 4000,
  setup: createPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) => {
        sql.exec('insert into person (name, email, age) values (?, ?, ?)', NAME, EMAIL, i)
      },
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return (i) => {
        sync.run(db.insertInto('person').values({ name: NAME, email: EMAIL, age: i }))
      }
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const insert = syncExecutor(db, storage).prepare((param: QueryParameters<NewPerson>) =>
        db
          .insertInto('person')
          .values({ name: param('name'), email: param('email'), age: param('age') }),
      )
      return (i) => {
        insert.run({ name: NAME, email: EMAIL, age: i })
      }
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) => {
        db.insert(person).values({ name: NAME, email: EMAIL, age: i }).run()
      }
    },
    'drizzle, prepared': (storage) => {
      const insert = drizzleOrm(storage)
        .insert(person)
        .values({
          name: drizzleSql.placeholder('name'),
          email: drizzleSql.placeholder('email'),
          age: drizzleSql.placeholder('age'),
        })
        .prepare()
      return (i) => {
        insert.run({ name: NAME, email: EMAIL, age: i })
      }
    },
  },
  check: ({ sql }) =>
    sql.exec('select count(*) as count, total(age) as ages, name, email from person').one(),
} satisfies Workload
