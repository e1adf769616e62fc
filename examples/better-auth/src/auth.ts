import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import type { Kysely } from 'kysely'

/** What this example itself reads of better-auth's tables. */
export interface AuthDatabase {
  readonly session: { readonly expiresAt: string }
}

export type Auth = ReturnType<typeof betterAuth<ReturnType<typeof authOptions>>>

/**
 * Creates what is missing of better-auth's tables, columns and indexes, all of it or nothing, and
 * then better-auth, which checks them when it is created.
 */
export async function createAuth(
  db: Kysely<AuthDatabase>,
  storage: DurableObjectStorage,
  secret: string,
): Promise<Auth> {
  const options = authOptions(db, secret)
  const { runMigrations } = await getMigrations(options)
  await storage.transaction(runMigrations)
  return betterAuth(options)
}

function authOptions(db: Kysely<AuthDatabase>, secret: string) {
  return {
    secret,
    baseURL: { allowedHosts: ['localhost:*', '127.0.0.1:*'] },
    database: { db, type: 'sqlite', transaction: true },
    emailAndPassword: { enabled: true },
  } satisfies BetterAuthOptions
}
