import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import type { Kysely } from 'kysely'
import type { Database } from './database.js'

/** Whether this isolate has seen better-auth's tables. */
let isMigrated = false

/** better-auth in the Worker, with its tables in the object and its transactions there. */
export async function createAuth(db: Kysely<Database>, secret: string) {
  const options = {
    secret,
    baseURL: { allowedHosts: ['localhost:*', '127.0.0.1:*'] },
    database: { db, type: 'sqlite', transaction: true },
    emailAndPassword: { enabled: true },
  } satisfies BetterAuthOptions
  if (!isMigrated) {
    const { runMigrations } = await getMigrations(options)
    await runMigrations()
    isMigrated = true
  }
  return betterAuth(options)
}
