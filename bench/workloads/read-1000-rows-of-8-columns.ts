import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { fillEvent, event, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const builder = (db: Kysely<Database>) => () => db.selectFrom('event').selectAll().execute()

export default {
  title: '1000 rows × 8 columns',
  order: 5,
  operations: 30,
  setup: fillEvent,
  variants: {
    raw:
      ({ sql }) =>
      () =>
        sql.exec('select * from event').toArray(),
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => db.select().from(event).all()
    },
  },
} satisfies Workload
