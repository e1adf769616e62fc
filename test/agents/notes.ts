import { Agent } from 'agents'
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { migrateToLatest } from '../../src/migration/index.js'

export interface Database {
  note: { id: Generated<number>; text: string }
}

interface State {
  readonly last: string
}

/** An agent with a table of its own. */
export class Notes extends Agent<Cloudflare.Env, State> {
  static override options = { sendIdentityOnConnect: false }
  override initialState = { last: '' }
  readonly db = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(this.ctx.storage) })

  override async onStart(): Promise<void> {
    await migrateToLatest(this.ctx.storage, {
      '0001_note': 'create table note (id integer primary key, text text not null)',
    })
  }

  async add(text: string): Promise<void> {
    await this.db.insertInto('note').values({ text }).execute()
    this.setState({ last: text })
  }

  async texts(): Promise<string[]> {
    const notes = await this.db.selectFrom('note').select('text').orderBy('id').execute()
    return notes.map(({ text }) => text)
  }

  /** The same, but not declared as `async`. */
  textsAtOnce(): Promise<string[]> {
    return this.db
      .selectFrom('note')
      .select('text')
      .execute()
      .then((notes) => notes.map(({ text }) => text))
  }

  remind(): void {}
}

export default {
  fetch: (): Response => new Response('ok'),
}
