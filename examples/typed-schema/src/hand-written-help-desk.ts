import { DurableObject } from 'cloudflare:workers'
import type { HelpDeskApi, QueuedTicket } from './help-desk-api.js'
import { SCHEMA } from './schema.js'

/** Before: SQL in strings, and rows of which TypeScript knows what it is told. */
export class HandWrittenHelpDesk extends DurableObject implements HelpDeskApi {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    ctx.storage.sql.exec(SCHEMA)
  }

  async open(subject: string, author: string, body: string): Promise<number> {
    const { sql } = this.ctx.storage
    return this.ctx.storage.transactionSync(() => {
      const { id } = sql
        .exec<{ id: number }>('insert into ticket (subject) values (?) returning id', subject)
        .one()
      sql.exec('insert into message (ticket_id, author, body) values (?, ?, ?)', id, author, body)
      return id
    })
  }

  async close(id: number): Promise<boolean> {
    const { sql } = this.ctx.storage
    return (
      sql
        .exec(
          `update ticket set status = 'closed' where id = ? and status <> 'closed' returning id`,
          id,
        )
        .toArray().length > 0
    )
  }

  async queue(): Promise<QueuedTicket[]> {
    return this.ctx.storage.sql
      .exec<{ id: number; subject: string; is_urgent: number; messages: number }>(
        'select id, subject, is_urgent, messages from queue order by is_urgent desc, id',
      )
      .toArray()
      .map(({ id, subject, is_urgent, messages }) => ({
        id,
        subject,
        isUrgent: is_urgent === 1,
        messages,
      }))
  }
}
