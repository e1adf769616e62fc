import { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { migrateToLatest } from 'kysely-durable-sqlite/migration'
import type { Operation, Workload } from './workload.ts'

/** What an object does first when it wakes with this many migrations, all of which are applied. */
export function wakeUpWith(count: number, order: number): Workload {
  const texts = Array.from({ length: count }, (_, index): [string, string] => {
    const name = String(index + 1).padStart(4, '0')
    return [name, `create table t${name} (id integer primary key, name text not null)`]
  })
  // Both find the migrations that they know: SQL texts, and the functions that Kysely has.
  const migrations = Object.fromEntries(texts)
  const functions = Object.fromEntries(
    texts.map(([name]): [string, Migration] => [name, { up: () => Promise.reject(name) }]),
  )
  return {
    title: `waking up with ${count} applied migration${count === 1 ? '' : 's'}`,
    order,
    operations: 20,
    cold: true,
    async setup(storage) {
      await migrateToLatest(storage, migrations)
    },
    variants: {
      raw:
        ({ sql }) =>
        () =>
          sql.exec('select name from kysely_migration order by rowid desc limit 1').one(),
      migrateToLatest: (storage) => () => migrateToLatest(storage, migrations),
      "Kysely's Migrator": (storage): Operation => {
        const db = new Kysely({ dialect: new DurableObjectSqliteDialect(storage) })
        const provider = { getMigrations: () => Promise.resolve(functions) }
        return async () => {
          const { error } = await new Migrator({ db, provider }).migrateToLatest()
          if (error !== undefined) {
            throw error
          }
        }
      },
    },
    check: ({ sql }) => sql.exec('select count(*) as applied from kysely_migration').one(),
  }
}
