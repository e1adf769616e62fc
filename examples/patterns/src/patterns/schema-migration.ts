import { DurableObject } from 'cloudflare:workers'
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { migrateToLatest } from 'kysely-durable-sqlite/migration'

interface Database {
  note: { id: Generated<number>; text: string; created_at: Generated<string> }
}

const migrations = {
  '0001_note': 'create table note (id integer primary key, text text not null) strict',
  '0002_created_at': `
    alter table note add column created_at text not null default '';
    create index note_created_at on note (created_at);
    create trigger note_created after insert on note begin
      update note set created_at = datetime() where id = new.id;
    end;
  `,
}

/**
 * Brings the schema up to date when the object wakes up, before the first request is let in.
 *
 * What was applied is recorded in the database itself, each migration in one transaction with its
 * record. So none is applied by half, and the record is gone together with the tables after
 * `deleteAll()`, whereas a flag in memory would still say that all is done.
 */
export class Notebook extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() => this.#migrate())
  }

  async add(text: string): Promise<number> {
    const { id } = await this.#db
      .insertInto('note')
      .values({ text })
      .returning('id')
      .executeTakeFirstOrThrow()
    return id
  }

  async notes(): Promise<string[]> {
    const notes = await this.#db.selectFrom('note').select('text').orderBy('id').execute()
    return notes.map(({ text }) => text)
  }

  /** The tables are gone as well, and the object lives on: so they are made anew. */
  async deleteAll(): Promise<void> {
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.deleteAll()
      await this.#migrate()
    })
  }

  async #migrate(): Promise<void> {
    await migrateToLatest(this.ctx.storage, migrations)
  }
}
