import type { Kysely } from 'kysely'
import { batch } from 'kysely-durable-sqlite/remote'
import { kyselyByTwoCalls, kyselyRemote } from '../remote-clients.ts'
import { type Database, fillPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

const IDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

const query = (db: Kysely<Database>, id: number) =>
  db.selectFrom('person').select(['id', 'name', 'email', 'age']).where('id', '=', id)

const SQL = 'select id, name, email, age from person where id = ?'

export default {
  title: 'from a Worker: a batch of ten selects by key, and one',
  order: 23,
  operations: 100,
  onlyByName: true,
  setup: fillPerson,
  // One of the variants does another thing, to be compared with.
  check: () => 'ten',
  remoteVariants: {
    'one query': (object) => {
      const db = kyselyRemote(object)
      return () => query(db, 1).execute()
    },
    batch: (object) => {
      const db = kyselyRemote(object)
      return () =>
        batch(
          db,
          IDS.map((id) => query(db, id)),
        )
    },
    'RPC method of ten': (object) => async () =>
      object.rowsOfAll(IDS.map((id) => [SQL, id] as [string, ...unknown[]])),
    'two calls a query': (object) => {
      const db = kyselyByTwoCalls(object)
      return async () => {
        for (const id of IDS) {
          await query(db, id).execute()
        }
      }
    },
  },
} satisfies Workload
