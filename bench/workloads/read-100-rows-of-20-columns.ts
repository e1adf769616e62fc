import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite } from '../clients.ts'
import { fillWide, wide, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const builder = (db: Kysely<Database>) => () => db.selectFrom('wide').selectAll().execute()

export default {
  title: '100 rows × 20 columns',
  order: 6,
  operations: 150,
  setup: fillWide,
  variants: {
    raw:
      ({ sql }) =>
      () =>
        sql.exec('select * from wide').toArray(),
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => db.select().from(wide).all()
    },
  },
} satisfies Workload
