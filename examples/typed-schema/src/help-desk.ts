import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { columns, type DB } from './database.generated.js'
import type { HelpDeskApi, QueuedTicket } from './help-desk-api.js'
import { SCHEMA } from './schema.js'

/** After: the same schema, and queries that TypeScript checks against it, with booleans and dates. */
export class HelpDesk extends DurableObject implements HelpDeskApi {
  readonly #db = new Kysely<DB>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage, { columns }),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    ctx.storage.sql.exec(SCHEMA)
  }

  open(subject: string, author: string, body: string): Promise<number> {
    return this.#db.transaction().execute(async (trx) => {
      const { id } = await trx
        .insertInto('ticket')
        .values({ subject })
        .returning('id')
        .executeTakeFirstOrThrow()
      await trx.insertInto('message').values({ ticket_id: id, author, body }).execute()
      return id
    })
  }

  async close(id: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('ticket')
      .set({ status: 'closed' })
      .where('id', '=', id)
      .where('status', '<>', 'closed')
      .executeTakeFirstOrThrow()
    return numUpdatedRows > 0n
  }

  async queue(): Promise<QueuedTicket[]> {
    const tickets = await this.#db
      .selectFrom('queue')
      .select(['id', 'subject', 'is_urgent', 'messages'])
      .$narrowType<{ id: number; subject: string; is_urgent: boolean; messages: number }>()
      .orderBy('is_urgent', 'desc')
      .orderBy('id')
      .execute()
    return tickets.map(({ id, subject, is_urgent, messages }) => ({
      id,
      subject,
      isUrgent: is_urgent,
      messages,
    }))
  }
}
