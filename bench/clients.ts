import { drizzle, type DrizzleSqliteDODatabase } from 'drizzle-orm/durable-sqlite'
import { Kysely } from 'kysely'
import { DODialect } from 'kysely-do'
import { DurableObjectSqliteDialect, SyncExecutor } from 'kysely-durable-sqlite'
import type { Database } from './schema.ts'

export function kyselyDurableSqlite(storage: DurableObjectStorage): Kysely<Database> {
  return new Kysely({ dialect: new DurableObjectSqliteDialect(storage) })
}

export function syncExecutor(db: Kysely<Database>, storage: DurableObjectStorage): SyncExecutor {
  return new SyncExecutor(db, storage)
}

export function kyselyDo(storage: DurableObjectStorage): Kysely<Database> {
  return new Kysely({ dialect: new DODialect({ ctx: { storage } as DurableObjectState }) })
}

export function drizzleOrm(storage: DurableObjectStorage): DrizzleSqliteDODatabase {
  return drizzle(storage)
}
