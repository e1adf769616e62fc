import { DurableObject } from 'cloudflare:workers'
import { Kysely, type Transaction } from 'kysely'
import { DurableObjectSqliteDialect, DurableObjectSqliteError } from 'kysely-durable-sqlite'
import { getMigrations, migrateTo, migrateToLatest } from 'kysely-durable-sqlite/migration'
import type { Database } from './database.generated.js'
import { migrations } from './migrations/index.js'

interface Transfer {
  readonly from: number
  readonly to: number
  readonly amount: number
}

/** What a customer did wrong, as opposed to what the program did wrong. */
export class Refusal extends Error {}

/** A bank: one Durable Object, whose database holds its accounts. */
export class Bank extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  #migrationError: unknown

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() => this.#migrate())
  }

  override async fetch(request: Request): Promise<Response> {
    if (this.#migrationError !== undefined) {
      return Response.json(
        { error: 'The bank is closed until its update is mended.' },
        { status: 503 },
      )
    }
    try {
      return await this.#route(request)
    } catch (error) {
      if (error instanceof Refusal) {
        return Response.json({ error: error.message }, { status: 409 })
      }
      throw error
    }
  }

  /** If one fails, the accounts are as before it, and the next deploy goes on from there. */
  async #migrate(): Promise<void> {
    try {
      await (this.env.MIGRATE_TO === undefined
        ? migrateToLatest(this.ctx.storage, migrations)
        : migrateTo(this.ctx.storage, migrations, this.env.MIGRATE_TO))
    } catch (error) {
      console.error(error)
      this.#migrationError = error
    }
  }

  async #route(request: Request): Promise<Response> {
    const [, resource, id, detail] = new URL(request.url).pathname.split('/')
    switch (`${request.method} ${resource}/${detail ?? ''}`) {
      case 'GET migrations/':
        return Response.json(await getMigrations(this.ctx.storage, migrations))
      case 'GET accounts/':
        return Response.json(await this.#db.selectFrom('account').selectAll().execute())
      case 'POST accounts/':
        return Response.json(await this.#open(await request.json()), { status: 201 })
      case 'POST accounts/deposits':
        return Response.json(await this.#deposit(Number(id), await request.json()))
      case 'GET accounts/history':
        return new Response(this.#history(Number(id)), {
          headers: { 'content-type': 'application/x-ndjson' },
        })
      case 'POST transfers/':
        return Response.json(await this.#transfer(await request.json()), { status: 201 })
      default:
        return new Response('Not found', { status: 404 })
    }
  }

  async #open({ owner }: { owner: string }): Promise<{ id: number }> {
    try {
      return await this.#db
        .insertInto('account')
        .values({ owner, balance: 0 })
        .returning('id')
        .executeTakeFirstOrThrow()
    } catch (error) {
      if (error instanceof DurableObjectSqliteError && error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
        throw new Refusal(`${owner} has an account already.`)
      }
      throw error
    }
  }

  async #deposit(id: number, { amount }: { amount: number }): Promise<{ balance: number }> {
    assertAmount(amount)
    return this.#db.transaction().execute((trx) => book(trx, id, amount, 'Deposit'))
  }

  /** The sender is found to be short of money after the first write, which is undone then. */
  async #transfer({ from, to, amount }: Transfer): Promise<{ balance: number }> {
    assertAmount(amount)
    return this.#db.transaction().execute(async (trx) => {
      const { balance } = await book(trx, from, -amount, `To account ${to}`)
      if (balance < 0) {
        throw new Refusal(`Account ${from} has ${balance + amount}, which is less than ${amount}.`)
      }
      await book(trx, to, amount, `From account ${from}`)
      return { balance }
    })
  }

  /** One JSON text a line, read from the database as the client takes them. */
  #history(id: number): ReadableStream<Uint8Array> {
    const entries = this.#db
      .selectFrom('entry')
      .select(['amount', 'text'])
      .where('account_id', '=', id)
      .orderBy('id')
      .stream(50)
    const encoder = new TextEncoder()
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await entries.next()
        if (done) {
          controller.close()
        } else {
          controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
        }
      },
      async cancel() {
        await entries.return?.()
      },
    })
  }
}

/** Changes the balance of an account and keeps the entry for it. */
async function book(
  trx: Transaction<Database>,
  id: number,
  amount: number,
  text: string,
): Promise<{ balance: number }> {
  const account = await trx
    .updateTable('account')
    .set((eb) => ({ balance: eb('balance', '+', amount) }))
    .where('id', '=', id)
    .returning('balance')
    .executeTakeFirst()
  if (account === undefined) {
    throw new Refusal(`There is no account ${id}.`)
  }
  await trx.insertInto('entry').values({ account_id: id, amount, text }).execute()
  return account
}

function assertAmount(amount: unknown): void {
  if (!Number.isSafeInteger(amount) || Number(amount) <= 0) {
    throw new Refusal('An amount is a whole number of cents above 0.')
  }
}
