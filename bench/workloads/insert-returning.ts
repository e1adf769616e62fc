import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { createPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'

const builder = (db: Kysely<Database>) => (i: number) =>
  db
    .insertInto('person')
    .values({ name: NAME, email: EMAIL, age: i })
    .returning(['id', 'name'])
    .executeTakeFirst()

export default {
  title: 'insert returning',
  order: 2,
  operations: 5000,
  setup: createPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) =>
        sql
          .exec(
            'insert into person (name, email, age) values (?, ?, ?) returning id, name',
            NAME,
            EMAIL,
            i,
          )
          .toArray()[0],
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) =>
        db
          .insert(person)
          .values({ name: NAME, email: EMAIL, age: i })
          .returning({ id: person.id, name: person.name })
          .get()
    },
  },
} satisfies Workload
