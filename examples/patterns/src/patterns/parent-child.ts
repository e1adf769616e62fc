import { DurableObject } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

type State = 'creating' | 'ready' | 'deleting'

interface WorkspaceDatabase {
  document: { title: string; id: string; state: State }
}

interface DocumentDatabase {
  document: { id: 1; title: string }
}

/** Milliseconds. */
const RETRY = 5_000

/**
 * The parent of any number of documents, each an object of its own.
 *
 * No transaction spans two objects. So the parent first writes down what it is going to do, then does
 * it, then writes down that it is done. What was interrupted, an alarm finishes, which is safe because
 * `initialize()` and `destroy()` of the child can be done twice. At no point is there a child that the
 * parent does not know.
 */
export class Workspace extends DurableObject {
  readonly #db = new Kysely<WorkspaceDatabase>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })
  #finishing = Promise.resolve()

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() =>
      this.#db.schema
        .createTable('document')
        .ifNotExists()
        .addColumn('title', 'text', (column) => column.primaryKey().notNull())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('state', 'text', (column) => column.notNull())
        .execute(),
    )
  }

  /**
   * Rejects if the title is taken. A document that is still `creating` will be ready later; undefined
   * is one that was deleted meanwhile.
   */
  async create(title: string): Promise<State | undefined> {
    const id = this.env.DOCUMENT.newUniqueId().toString()
    await this.#db.transaction().execute(async (trx) => {
      await trx.insertInto('document').values({ title, id, state: 'creating' }).execute()
      await this.ctx.storage.setAlarm(Date.now() + RETRY)
    })
    await this.#finish()
    const document = await this.#db
      .selectFrom('document')
      .select('state')
      .where('id', '=', id)
      .executeTakeFirst()
    return document?.state
  }

  async delete(title: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx
        .updateTable('document')
        .set({ state: 'deleting' })
        .where('title', '=', title)
        .execute()
      await this.ctx.storage.setAlarm(Date.now() + RETRY)
    })
    await this.#finish()
  }

  async documents(): Promise<WorkspaceDatabase['document'][]> {
    return this.#db.selectFrom('document').selectAll().orderBy('title').execute()
  }

  override async alarm(): Promise<void> {
    await this.#finish()
  }

  /** One after the other, so that no child is initialized after it was destroyed. */
  #finish(): Promise<void> {
    this.#finishing = this.#finishing.then(() => this.#finishAll())
    return this.#finishing
  }

  async #finishAll(): Promise<void> {
    const unfinished = await this.#db
      .selectFrom('document')
      .selectAll()
      .where('state', '<>', 'ready')
      .execute()
    for (const { title, id, state } of unfinished) {
      try {
        const document = this.env.DOCUMENT.get(this.env.DOCUMENT.idFromString(id))
        if (state === 'creating') {
          await document.initialize(title)
          await this.#setReady(id)
        } else {
          await document.destroy()
          await this.#db.deleteFrom('document').where('id', '=', id).execute()
        }
      } catch (error) {
        console.error(`'${title}' is still ${state}:`, error)
        await this.ctx.storage.setAlarm(Date.now() + RETRY)
      }
    }
  }

  /** Unless it was asked to be deleted meanwhile. */
  async #setReady(id: string): Promise<void> {
    await this.#db
      .updateTable('document')
      .set({ state: 'ready' })
      .where('id', '=', id)
      .where('state', '=', 'creating')
      .execute()
  }
}

/** The child. */
export class Document extends DurableObject {
  readonly #db = new Kysely<DocumentDatabase>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  /** Does nothing if the document is there. */
  async initialize(title: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx.schema
        .createTable('document')
        .ifNotExists()
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('title', 'text', (column) => column.notNull())
        .execute()
      await trx
        .insertInto('document')
        .values({ id: 1, title })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }

  async title(): Promise<string> {
    const { title } = await this.#db
      .selectFrom('document')
      .select('title')
      .executeTakeFirstOrThrow()
    return title
  }

  /** Does nothing if there is no document. */
  async destroy(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }
}
