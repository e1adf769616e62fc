import { eq } from 'drizzle-orm'
import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const idOf = (i: number) => 1 + (i % 1000)

const builder = (db: Kysely<Database>) => (i: number) =>
  db.updateTable('person').set({ age: i }).where('id', '=', idOf(i)).execute()

export default {
  title: 'update by key',
  order: 4,
  operations: 8000,
  setup: fillPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) => {
        sql.exec('update person set age = ? where id = ?', i, idOf(i))
      },
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
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
  },
  check: ({ sql }) => sql.exec('select count(*) as count, total(age) as ages from person').one(),
} satisfies Workload
