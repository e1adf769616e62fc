import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { createPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'

const builder = (db: Kysely<Database>) => (i: number) =>
  db.insertInto('person').values({ name: NAME, email: EMAIL, age: i }).execute()

export default {
  title: 'insert one row',
  order: 1,
  operations: 8000,
  setup: createPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) => {
        sql.exec('insert into person (name, email, age) values (?, ?, ?)', NAME, EMAIL, i)
      },
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) => {
        db.insert(person).values({ name: NAME, email: EMAIL, age: i }).run()
      }
    },
  },
  check: ({ sql }) =>
    sql.exec('select count(*) as count, total(age) as ages, name, email from person').one(),
} satisfies Workload
