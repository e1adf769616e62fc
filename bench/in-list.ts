import type { Kysely } from 'kysely'
import { kyselyDurableSqlite, syncExecutor } from './clients.ts'
import { fillPerson, type Database } from './schema.ts'
import type { Workload } from './workload.ts'

/** As many as one statement binds. */
const PIECE = 100

const query = (db: Kysely<Database>, ids: readonly number[]) =>
  db.selectFrom('person').selectAll().where('id', 'in', ids)

/** Reads so many of 1000 rows by their ids: in pieces of what one statement binds, and at once. */
export function inList(count: number, order: number, operations: number): Workload {
  // In no order: 7 and 1000 have no common divisor.
  const ids = Array.from({ length: count }, (_, i) => 1 + ((i * 7) % 1000))
  const pieces = Array.from({ length: Math.ceil(count / PIECE) }, (_, i) =>
    ids.slice(i * PIECE, (i + 1) * PIECE),
  )
  return {
    title: `where id in (${count} ids)`,
    order,
    operations,
    setup: fillPerson,
    variants: {
      'builder, 100 ids at a time': (storage) => {
        const db = kyselyDurableSqlite(storage)
        return async () => {
          let found = 0
          for (const piece of pieces) {
            found += (await query(db, piece).execute()).length
          }
          return found
        }
      },
      builder: (storage) => {
        const db = kyselyDurableSqlite(storage)
        return async () => (await query(db, ids).execute()).length
      },
      sync: (storage) => {
        const db = kyselyDurableSqlite(storage)
        const sync = syncExecutor(db, storage)
        return () => sync.execute(query(db, ids)).length
      },
    },
  }
}
