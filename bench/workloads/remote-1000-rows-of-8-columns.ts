import type { Kysely } from 'kysely'
import { kyselyByTwoCalls, kyselyRemote } from '../remote-clients.ts'
import { type Database, fillEvent } from '../schema.ts'
import type { Workload } from '../workload.ts'

const query = (db: Kysely<Database>) => () => db.selectFrom('event').selectAll().execute()

export default {
  title: 'from a Worker: 1000 rows × 8 columns',
  order: 21,
  operations: 8,
  onlyByName: true,
  setup: fillEvent,
  remoteVariants: {
    'RPC method': (object) => async () => object.rows('select * from event'),
    remote: (object) => query(kyselyRemote(object)),
    'two calls a query': (object) => query(kyselyByTwoCalls(object)),
  },
} satisfies Workload
