import { sql as drizzleSql } from 'drizzle-orm'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { createPerson, person, type NewPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'
const TEN = Array.from({ length: 10 }, (_, index) => index)

const INSERT = 'insert into person (name, email, age) values (?, ?, ?)'

export default {
  title: 'a transaction of ten inserts',
  order: 7,
  inSummary: true,
  operations: 250,
  setup: createPerson,
  variants: {
    raw: (storage) => () => {
      storage.transactionSync(() => {
        for (const i of TEN) {
          storage.sql.exec(INSERT, NAME, EMAIL, i)
        }
      })
    },
    'raw, storage.transaction()': (storage) => () =>
      storage.transaction(async () => {
        for (const i of TEN) {
          storage.sql.exec(INSERT, NAME, EMAIL, i)
        }
      }),
    builder: (storage) => {
      const db = kyselyDurableSqlite(storage)
      return () =>
        db.transaction().execute(async (trx) => {
          for (const i of TEN) {
            await trx.insertInto('person').values({ name: NAME, email: EMAIL, age: i }).execute()
          }
        })
    },
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return () => {
        sync.transaction(() => {
          for (const i of TEN) {
            sync.run(db.insertInto('person').values({ name: NAME, email: EMAIL, age: i }))
          }
        })
      }
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      const insert = sync.prepare((param: QueryParameters<NewPerson>) =>
        db
          .insertInto('person')
          .values({ name: param('name'), email: param('email'), age: param('age') }),
      )
      return () => {
        sync.transaction(() => {
          for (const i of TEN) {
            insert.run({ name: NAME, email: EMAIL, age: i })
          }
        })
      }
    },
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => {
        db.transaction((transaction) => {
          for (const i of TEN) {
            transaction.insert(person).values({ name: NAME, email: EMAIL, age: i }).run()
          }
        })
      }
    },
    'drizzle, prepared': (storage) => {
      const db = drizzleOrm(storage)
      const insert = db
        .insert(person)
        .values({
          name: drizzleSql.placeholder('name'),
          email: drizzleSql.placeholder('email'),
          age: drizzleSql.placeholder('age'),
        })
        .prepare()
      return () => {
        db.transaction(() => {
          for (const i of TEN) {
            insert.run({ name: NAME, email: EMAIL, age: i })
          }
        })
      }
    },
  },
  check: ({ sql }) =>
    sql.exec('select count(*) as count, total(age) as ages, name, email from person').one(),
} satisfies Workload
