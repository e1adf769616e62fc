import { betterAuth } from 'better-auth'
import type { Kysely } from 'kysely'
import type { Database } from './database.generated.js'

/** Its tables are those of migrations/0001_auth.sql. */
export function createAuth(db: Kysely<Database>, secret: string) {
  return betterAuth({
    secret,
    baseURL: { allowedHosts: ['localhost:*', '127.0.0.1:*'] },
    database: { db, type: 'sqlite', transaction: true },
    emailAndPassword: { enabled: true },
    // `input: false`: never what the client says.
    user: { additionalFields: { tenantId: { type: 'string', required: false, input: false } } },
    databaseHooks: {
      user: {
        create: {
          before: async (user) => ({ data: { ...user, tenantId: crypto.randomUUID() } }),
        },
      },
    },
  })
}
