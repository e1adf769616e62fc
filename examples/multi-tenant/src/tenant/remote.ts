import { Kysely } from 'kysely'
import { RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'
import { columns, type Database } from './database.generated.js'
import type { Tenant } from './tenant.js'

/** Runs the body with the tenant's database, in the Worker. However many queries: one session. */
export async function withDatabase<T>(
  getTenant: () => DurableObjectStub<Tenant>,
  body: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const db = new Kysely<Database>({
    dialect: new RemoteDurableObjectDialect(() => getTenant().database(), { columns }),
  })
  try {
    return await body(db)
  } finally {
    await db.destroy()
  }
}
