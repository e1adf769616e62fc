import { drizzleOrm, kyselyDurableSqlite } from '../clients.ts'
import { createPerson, person } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'
const TEN = Array.from({ length: 10 }, (_, index) => index)

const INSERT = 'insert into person (name, email, age) values (?, ?, ?)'

export default {
  title: 'a transaction of ten inserts',
  order: 7,
  operations: 500,
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
  },
  check: ({ sql }) =>
    sql.exec('select count(*) as count, total(age) as ages, name, email from person').one(),
} satisfies Workload
