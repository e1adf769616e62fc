import type { Kysely } from 'kysely'
import { kyselyByTwoCalls, kyselyRemote } from '../remote-clients.ts'
import { createPerson, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const person = { name: 'Ada', email: 'ada@example.com', age: 36 }

const query = (db: Kysely<Database>) => () => db.insertInto('person').values(person).execute()

export default {
  title: 'from a Worker: insert one row',
  order: 22,
  operations: 200,
  onlyByName: true,
  setup: createPerson,
  check: ({ sql }) => sql.exec('select * from person').toArray(),
  remoteVariants: {
    'RPC method': (object) => async () =>
      object.rows(
        'insert into person (name, email, age) values (?, ?, ?)',
        person.name,
        person.email,
        person.age,
      ),
    remote: (object) => query(kyselyRemote(object)),
    'two calls a query': (object) => query(kyselyByTwoCalls(object)),
  },
} satisfies Workload
