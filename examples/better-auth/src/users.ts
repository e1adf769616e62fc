import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { type AuthDatabase, createAuth } from './auth.js'

const DAY = 24 * 60 * 60 * 1000

/**
 * Users and their sessions: one Durable Object. An alarm deletes expired sessions every day, and KV
 * keeps when it last did.
 */
export class Users extends DurableObject {
  readonly #db = new Kysely<AuthDatabase>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })
  readonly #auth = this.ctx.blockConcurrencyWhile(async () => {
    const { storage } = this.ctx
    if ((await storage.getAlarm()) === null) {
      await this.#planCleanUp()
    }
    return createAuth(this.#db, storage, this.env.BETTER_AUTH_SECRET)
  })

  override async fetch(request: Request): Promise<Response> {
    const auth = await this.#auth
    switch (new URL(request.url).pathname) {
      case '/me': {
        const session = await auth.api.getSession({ headers: request.headers })
        return session === null
          ? Response.json({ error: 'Sign in first.' }, { status: 401 })
          : Response.json({ name: session.user.name, email: session.user.email })
      }
      case '/clean-up': {
        const next = await this.ctx.storage.getAlarm()
        return Response.json({
          last: await this.ctx.storage.get<Date>('lastCleanUp'),
          next: next === null ? null : new Date(next),
        })
      }
      default:
        return auth.handler(request)
    }
  }

  override async alarm(): Promise<void> {
    await this.#db.deleteFrom('session').where('expiresAt', '<', new Date().toISOString()).execute()
    await this.#planCleanUp()
  }

  async #planCleanUp(): Promise<void> {
    const now = new Date()
    await this.ctx.storage.put('lastCleanUp', now)
    await this.ctx.storage.setAlarm(now.getTime() + DAY)
  }
}
