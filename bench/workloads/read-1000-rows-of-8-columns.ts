import type { Kysely } from 'kysely'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillEvent, event, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const query = (db: Kysely<Database>) => db.selectFrom('event').selectAll()

const builder = (db: Kysely<Database>) => () => query(db).execute()

export default {
  title: '1000 rows × 8 columns',
  order: 5,
  inSummary: true,
  operations: 8,
  setup: fillEvent,
  variants: {
    raw:
      ({ sql }) =>
      () =>
        sql.exec('select * from event').toArray(),
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
      return () => db.select().from(event).all()
    },
    'drizzle, prepared': (storage) => {
      const select = drizzleOrm(storage).select().from(event).prepare()
      return () => select.all()
    },
  },
} satisfies Workload
