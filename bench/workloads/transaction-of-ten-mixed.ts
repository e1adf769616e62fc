import { eq, sql as drizzleSql } from 'drizzle-orm'
import type { Expression, Kysely } from 'kysely'
import type { QueryParameters } from 'kysely-durable-sqlite'
import { drizzleOrm, kyselyDurableSqlite, syncExecutor } from '../clients.ts'
import { fillPerson, person, type Database } from '../schema.ts'
import type { Workload } from '../workload.ts'

const IDS = [1, 2, 3, 4, 5]

const SELECT = 'select age from person where id = ?'
const UPDATE = 'update person set age = ? where id = ?'

type Value = number | Expression<number>

const select = (db: Kysely<Database>, id: Value) =>
  db.selectFrom('person').select('age').where('id', '=', id)

const update = (db: Kysely<Database>, age: Value, id: Value) =>
  db.updateTable('person').set({ age }).where('id', '=', id)

export default {
  title: 'a transaction of ten: five times a select by key and an update by key',
  order: 8,
  operations: 200,
  setup: fillPerson,
  variants: {
    raw: (storage) => () => {
      const { sql } = storage
      storage.transactionSync(() => {
        for (const id of IDS) {
          const { age } = sql.exec<{ age: number }>(SELECT, id).one()
          sql.exec(UPDATE, age + 1, id)
        }
      })
    },
    'raw, storage.transaction()': (storage) => () =>
      storage.transaction(async () => {
        const { sql } = storage
        for (const id of IDS) {
          const { age } = sql.exec<{ age: number }>(SELECT, id).one()
          sql.exec(UPDATE, age + 1, id)
        }
      }),
    builder: (storage) => {
      const db = kyselyDurableSqlite(storage)
      return () =>
        db.transaction().execute(async (trx) => {
          for (const id of IDS) {
            const { age } = await select(trx, id).executeTakeFirstOrThrow()
            await update(trx, age + 1, id).execute()
          }
        })
    },
    sync: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      return () => {
        sync.transaction(() => {
          for (const id of IDS) {
            const { age } = sync.executeTakeFirstOrThrow(select(db, id))
            sync.run(update(db, age + 1, id))
          }
        })
      }
    },
    prepared: (storage) => {
      const db = kyselyDurableSqlite(storage)
      const sync = syncExecutor(db, storage)
      const selectAge = sync.prepare((param: QueryParameters<{ id: number }>) =>
        select(db, param('id')),
      )
      const updateAge = sync.prepare((param: QueryParameters<{ age: number; id: number }>) =>
        update(db, param('age'), param('id')),
      )
      return () => {
        sync.transaction(() => {
          for (const id of IDS) {
            const { age } = selectAge.executeTakeFirstOrThrow({ id })
            updateAge.run({ age: age + 1, id })
          }
        })
      }
    },
    drizzle: (storage) => {
      const db = drizzleOrm(storage)
      return () => {
        db.transaction((transaction) => {
          for (const id of IDS) {
            const row = transaction
              .select({ age: person.age })
              .from(person)
              .where(eq(person.id, id))
              .get()
            transaction
              .update(person)
              .set({ age: row!.age + 1 })
              .where(eq(person.id, id))
              .run()
          }
        })
      }
    },
    'drizzle, prepared': (storage) => {
      const db = drizzleOrm(storage)
      const selectAge = db
        .select({ age: person.age })
        .from(person)
        .where(eq(person.id, drizzleSql.placeholder('id')))
        .prepare()
      const updateAge = db
        .update(person)
        .set({ age: drizzleSql`${drizzleSql.placeholder('age')}` })
        .where(eq(person.id, drizzleSql.placeholder('id')))
        .prepare()
      return () => {
        db.transaction(() => {
          for (const id of IDS) {
            const row = selectAge.get({ id })
            updateAge.run({ age: row!.age + 1, id })
          }
        })
      }
    },
  },
  check: ({ sql }) => sql.exec('select total(age) as ages from person').one(),
} satisfies Workload
