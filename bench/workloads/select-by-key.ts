import { eq } from 'drizzle-orm'
import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const idOf = (i: number) => 1 + (i % 1000)

const builder = (db: Kysely<Database>) => (i: number) =>
  db
    .selectFrom('person')
    .select(['id', 'name', 'email', 'age'])
    .where('id', '=', idOf(i))
    .executeTakeFirst()

export default {
  title: 'select by key',
  order: 3,
  operations: 5000,
  setup: fillPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) =>
        sql.exec('select id, name, email, age from person where id = ?', idOf(i)).toArray()[0],
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
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
  },
} satisfies Workload
