import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillWide, wide, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const query = (db: Kysely<Database>) => db.selectFrom('wide').selectAll()

const builder = (db: Kysely<Database>) => () => query(db).execute()

export default {
  title: '100 rows × 20 columns',
  order: 6,
  operations: 35,
  setup: fillWide,
  variants: {
    raw:
      ({ sql }) =>
      () =>
        sql.exec('select * from wide').toArray(),
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return () => sync.execute(query(db))
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const select = syncExecutor(db, storage).prepare(() => query(db))
      return () => select.execute()
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => db.select().from(wide).all()
    },
    'drizzle, prepared': (storage) => {
      const select = drizzleOrm(storage).select().from(wide).prepare()
      return () => select.all()
    },
  },
} satisfies Workload
