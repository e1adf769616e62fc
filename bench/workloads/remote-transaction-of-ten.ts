import type { Kysely } from 'kysely'
import { kyselyByTwoCalls, kyselyRemote } from '../remote-clients.ts'
import { createPerson, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const PEOPLE = Array.from({ length: 10 }, (_, age) => ({
  name: 'Ada',
  email: 'ada@example.com',
  age,
}))

const SQL = 'insert into person (name, email, age) values (?, ?, ?)'

const insertAll = async (db: Kysely<Database>): Promise<void> => {
  for (const person of PEOPLE) {
    await db.insertInto('person').values(person).execute()
  }
}

export default {
  title: 'from a Worker: a transaction of ten inserts',
  order: 24,
  operations: 30,
  onlyByName: true,
  setup: createPerson,
  check: ({ sql }) => sql.exec('select * from person').toArray(),
  remoteVariants: {
    'RPC method': (object) => async () =>
      object.rowsOfAll(
        PEOPLE.map(({ name, email, age }) => [SQL, name, email, age] as [string, ...unknown[]]),
      ),
    remote: (object) => {
      const db = kyselyRemote(object)
      return () => db.transaction().execute(insertAll)
    },
    'ten RPC methods': (object) => async () => {
      for (const { name, email, age } of PEOPLE) {
        await object.rows(SQL, name, email, age)
      }
    },
    // It has no transactions.
    'two calls a query': (object) => {
      const db = kyselyByTwoCalls(object)
      return () => insertAll(db)
    },
  },
} satisfies Workload
