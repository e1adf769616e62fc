import { eq } from 'drizzle-orm'
import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const query = (db: Kysely<Database>) =>
  db.selectFrom('person').select(['id', 'name', 'email', 'age']).where('id', '=', 1)

const builder = (db: Kysely<Database>) => () => query(db).executeTakeFirst()

export default {
  title: 'first query of an object that wakes up',
  order: 9,
  operations: 20,
  cold: true,
  setup: fillPerson,
  variants: {
    raw:
      ({ sql }) =>
      () =>
        sql.exec('select id, name, email, age from person where id = ?', 1).toArray()[0],
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return () => sync.executeTakeFirst(query(db))
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => db.select().from(person).where(eq(person.id, 1)).get()
    },
  },
} satisfies Workload
