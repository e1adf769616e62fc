import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { migrateToLatest, migrationsFromFiles } from 'kysely-durable-sqlite/migration'
import { createAuth } from './auth.js'
import { columns, type Database } from './database.generated.js'

const migrations = migrationsFromFiles(
  import.meta.glob<string>('./migrations/*.sql', { query: '?raw', import: 'default', eager: true }),
)

const DAY = 24 * 60 * 60 * 1000

/** Who a request comes from. */
export interface Session {
  readonly userId: string
  readonly userName: string
  readonly tenantId: string
  readonly tenantName: string
}

/** Users, their sessions, and which tenants there are: one object for all. */
export class Directory extends DurableObject<Env> {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage, { columns }),
  })
  readonly #auth = this.ctx.blockConcurrencyWhile(async () => {
    await migrateToLatest(this.ctx.storage, migrations)
    return createAuth(this.#db, this.env.BETTER_AUTH_SECRET)
  })

  /** better-auth's own routes, `/api/auth/…`. */
  override async fetch(request: Request): Promise<Response> {
    const auth = await this.#auth
    return auth.handler(request)
  }

  async session(headers: Headers): Promise<Session | null> {
    const auth = await this.#auth
    const session = await auth.api.getSession({ headers })
    const tenantId = session?.user.tenantId
    if (session === null || typeof tenantId !== 'string') {
      return null
    }
    const { id, name } = session.user
    const tenant = await this.#db
      .selectFrom('tenant')
      .select('name')
      .where('id', '=', tenantId)
      .where('deleted_at', 'is', null)
      .executeTakeFirst()
    return tenant === undefined
      ? null
      : { userId: id, userName: name, tenantId, tenantName: tenant.name }
  }

  async createInvitation(tenantId: string): Promise<string> {
    const code = crypto.randomUUID()
    await this.#db
      .insertInto('invitation')
      .values({ code, tenant_id: tenantId, expires_at: new Date(Date.now() + DAY) })
      .execute()
    return code
  }

  /** Returns whether the code was good, once. */
  async acceptInvitation(userId: string, code: string): Promise<boolean> {
    return this.#db.transaction().execute(async (trx) => {
      const invitation = await trx
        .deleteFrom('invitation')
        .where('code', '=', code)
        .where('expires_at', '>', new Date())
        .returning('tenant_id')
        .executeTakeFirst()
      if (invitation === undefined) {
        return false
      }
      await trx
        .updateTable('user')
        .set({ tenantId: invitation.tenant_id })
        .where('id', '=', userId)
        .execute()
      return true
    })
  }

  /** Counts each change once, however often it is sent. */
  async countChanges(tenantId: string, changes: { seq: number; at: Date }[]): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const tenant = await trx
        .selectFrom('tenant')
        .select('counted_to')
        .where('id', '=', tenantId)
        .executeTakeFirst()
      const fresh = changes.filter(({ seq }) => tenant !== undefined && seq > tenant.counted_to)
      const last = fresh.at(-1)
      if (last === undefined) {
        return
      }
      const days = Map.groupBy(fresh, ({ at }) => at.toISOString().slice(0, 10))
      await trx
        .insertInto('usage')
        .values(
          Array.from(days, ([day, { length }]) => ({ tenant_id: tenantId, day, changes: length })),
        )
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'day']).doUpdateSet((eb) => ({
            changes: eb('usage.changes', '+', eb.ref('excluded.changes')),
          })),
        )
        .execute()
      await trx
        .updateTable('tenant')
        .set({ counted_to: last.seq })
        .where('id', '=', tenantId)
        .execute()
    })
  }

  async usage(tenantId: string): Promise<{ day: string; changes: number }[]> {
    return this.#db
      .selectFrom('usage')
      .select(['day', 'changes'])
      .where('tenant_id', '=', tenantId)
      .orderBy('day', 'desc')
      .limit(30)
      .execute()
  }

  /** Written down first, so that the alarm finishes it if anything comes in between. */
  async deleteTenant(tenantId: string): Promise<void> {
    await this.#db
      .updateTable('tenant')
      .set({ deleted_at: new Date() })
      .where('id', '=', tenantId)
      .execute()
    await this.ctx.storage.setAlarm(Date.now() + 10_000)
    await this.alarm()
  }

  override async alarm(): Promise<void> {
    const deleted = await this.#db
      .selectFrom('tenant')
      .select('id')
      .where('deleted_at', 'is not', null)
      .execute()
    for (const { id } of deleted) {
      await this.env.TENANT.getByName(id).deleteEverything()
      await this.#db.transaction().execute(async (trx) => {
        await trx.deleteFrom('user').where('tenantId', '=', id).execute()
        await trx.deleteFrom('invitation').where('tenant_id', '=', id).execute()
        await trx.deleteFrom('usage').where('tenant_id', '=', id).execute()
        await trx.deleteFrom('tenant').where('id', '=', id).execute()
      })
    }
  }
}
