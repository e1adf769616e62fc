import type { Kysely } from 'kysely'
import { kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { createPerson, type Database, type NewPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

type Row = NewPerson & { id: number }

const rows: readonly Row[] = Array.from({ length: 10_000 }, (_, i) => ({
  id: i + 1,
  name: `Person ${i}`,
  email: `person${i}@example.com`,
  age: i % 100,
}))

/** As many as 100 parameters take. */
const CHUNK = 25

const chunks = Array.from({ length: rows.length / CHUNK }, (_, i) =>
  rows.slice(i * CHUNK, (i + 1) * CHUNK),
)

const query = (db: Kysely<Database>, rows: readonly Row[]) => db.insertInto('person').values(rows)

export default {
  title: 'insert 10,000 rows × 4 columns',
  order: 20,
  operations: 1,
  setup: createPerson,
  variants: {
    'raw, row by row':
      ({ sql }) =>
      () => {
        for (const { id, name, email, age } of rows) {
          sql.exec(
            'insert into person (id, name, email, age) values (?, ?, ?, ?)',
            id,
            name,
            email,
            age,
          )
        }
      },
    'builder, 25 rows at a time': (storage) => {
      const db = kyselyDurableSqlite(storage)
      return async () => {
        for (const chunk of chunks) {
          await query(db, chunk).execute()
        }
      }
    },
    builder: (storage) => {
      const db = kyselyDurableSqlite(storage)
      return () => query(db, rows).execute()
    },
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return () => {
        sync.run(query(db, rows))
      }
    },
  },
  check: ({ sql }) =>
    sql.exec('select count(*) as count, total(age) as ages, max(email) as last from person').one(),
} satisfies Workload
