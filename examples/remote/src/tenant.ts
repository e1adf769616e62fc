import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { migrateToLatest } from 'kysely-durable-sqlite/migration'
import { RemoteDatabase } from 'kysely-durable-sqlite/remote'
import type { Database } from './database.js'

/** The database of a tenant: one Durable Object, which the Worker queries. */
export class Tenant extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() =>
      migrateToLatest(ctx.storage, {
        '0001_notes': `
          create table note (id integer primary key, author text not null, text text not null);
          create table author (name text primary key, notes integer not null)`,
      }),
    )
  }

  database(): RemoteDatabase {
    return new RemoteDatabase(this.#db, this.ctx.storage)
  }
}
