import type { Kysely } from 'kysely'
import { kyselyByTwoCalls, kyselyRemote } from '../remote-clients.ts'
import { type Database, fillPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

const query = (db: Kysely<Database>) => () =>
  db
    .selectFrom('person')
    .select(['id', 'name', 'email', 'age'])
    .where('id', '=', 1)
    .executeTakeFirst()

export default {
  title: 'from a Worker: select by key',
  order: 20,
  operations: 400,
  onlyByName: true,
  setup: fillPerson,
  remoteVariants: {
    'RPC method': (object) => async () =>
      (await object.rows('select id, name, email, age from person where id = ?', 1))[0],
    remote: (object) => query(kyselyRemote(object)),
    'two calls a query': (object) => query(kyselyByTwoCalls(object)),
  },
} satisfies Workload
