import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  draft: { id: number; text: string }
}

/**
 * A draft that can be deleted, and deletes itself when nobody has touched it for a while. After that
 * nothing of the object is left: no row, no table, no alarm, nothing that is billed.
 *
 * `deleteAll()` leaves the alarm there before the compatibility date 2026-02-24, so that it would
 * wake the object later: https://developers.cloudflare.com/durable-objects/api/legacy-kv-storage-api/#deleteall
 * It takes the tables away under the living instance. So they are made where something is written,
 * not in the constructor, and reading finds no table as long as nothing was written.
 */
export class Draft extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  /** `timeToLive` is in milliseconds. */
  async save(text: string, timeToLive = 86_400_000): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx.schema
        .createTable('draft')
        .ifNotExists()
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('text', 'text', (column) => column.notNull())
        .execute()
      await trx.replaceInto('draft').values({ id: 1, text }).execute()
      await this.ctx.storage.setAlarm(Date.now() + timeToLive)
    })
  }

  async read(): Promise<string | undefined> {
    if (!(await this.#exists())) {
      return undefined
    }
    const draft = await this.#db.selectFrom('draft').select('text').executeTakeFirst()
    return draft?.text
  }

  /** In this order: deleting an alarm after everything else would leave the platform's table for it. */
  async delete(): Promise<void> {
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
  }

  override async alarm(): Promise<void> {
    await this.delete()
  }

  async #exists(): Promise<boolean> {
    const tables = await this.#db.introspection.getTables()
    return tables.length > 0
  }
}
