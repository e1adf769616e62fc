import { sql as drizzleSql } from 'drizzle-orm'
import type { Kysely } from 'kysely'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDo, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { createPerson, person, type Database, type NewPerson } from '../schema.ts'
import type { Workload } from '../workload.ts'

const NAME = 'Ada Lovelace'
const EMAIL = 'ada@example.com'

const query = (db: Kysely<Database>, age: number) =>
  db.insertInto('person').values({ name: NAME, email: EMAIL, age }).returning(['id', 'name'])

const builder = (db: Kysely<Database>) => (i: number) => query(db, i).executeTakeFirst()

export default {
  title: 'insert returning',
  order: 2,
  operations: 2000,
  setup: createPerson,
  variants: {
    raw:
      ({ sql }) =>
      (i) =>
        sql
          .exec(
            'insert into person (name, email, age) values (?, ?, ?) returning id, name',
            NAME,
            EMAIL,
            i,
          )
          .toArray()[0],
    builder: (storage) => builder(kyselyDurableSqlite(storage)),
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return (i) => sync.executeTakeFirst(query(db, i))
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const insert = syncExecutor(db, storage).prepare((param: QueryParameters<NewPerson>) =>
        db
          .insertInto('person')
          .values({ name: param('name'), email: param('email'), age: param('age') })
          .returning(['id', 'name']),
      )
      return (i) => insert.executeTakeFirst({ name: NAME, email: EMAIL, age: i })
    },
    'kysely-do': (storage) => builder(kyselyDo(storage)),
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return (i) =>
        db
          .insert(person)
          .values({ name: NAME, email: EMAIL, age: i })
          .returning({ id: person.id, name: person.name })
          .get()
    },
    'drizzle, prepared': (storage) => {
      const insert = drizzleOrm(storage)
        .insert(person)
        .values({
          name: drizzleSql.placeholder('name'),
          email: drizzleSql.placeholder('email'),
          age: drizzleSql.placeholder('age'),
        })
        .returning({ id: person.id, name: person.name })
        .prepare()
      return (i) => insert.get({ name: NAME, email: EMAIL, age: i })
    },
  },
} satisfies Workload
