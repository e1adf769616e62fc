import { createRequire } from 'node:module'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker } from './bundle-worker.ts'

const { compatibilityDate: newest } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}

/** Bundled from the built package, as a user's Worker is. */
const source = `
  import { DurableObject, env } from 'cloudflare:workers'
  import { Kysely } from 'kysely'
  import { DurableObjectSqliteDialect, DurableObjectSqliteError } from 'kysely-durable-sqlite'
  import { batch, RemoteDatabase, RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'

  let sessions = 0
  class Counted extends RemoteDatabase {
    constructor(...args) { super(...args); sessions++ }
    [Symbol.dispose]() { sessions-- }
  }

  export class Tenant extends DurableObject {
    #db = new Kysely({ dialect: new DurableObjectSqliteDialect(this.ctx.storage) })
    constructor(ctx, env) {
      super(ctx, env)
      ctx.storage.sql.exec('create table if not exists person (id integer primary key, name text unique)')
    }
    database() {
      return new Counted(this.#db, this.ctx.storage, { transactionTimeout: 20_000 })
    }
    impatientDatabase() {
      return new Counted(this.#db, this.ctx.storage, { transactionTimeout: 1_000 })
    }
    state() {
      // With a cursor open, no table can be dropped.
      this.ctx.storage.sql.exec('create table other (a); drop table other')
      return { sessions, names: this.ctx.storage.sql.exec('select name from person order by id').toArray().map(({ name }) => name) }
    }
  }

  const add = (db, name) => db.insertInto('person').values({ name })
  /** For all requests, as a module of an application may have it. */
  const shared = new Kysely({ dialect: new RemoteDurableObjectDialect(() => env.TENANT.getByName('acme').database()) })

  const pages = {
    async page(db) {
      await add(db, 'Ada').execute()
      await db.transaction().execute(async (trx) => { await add(trx, 'Grace').execute() })
      await batch(db, [add(db, 'Eve'), db.selectFrom('person').selectAll()])
      const error = await db.transaction().execute(async (trx) => { await add(trx, 'Ada').execute() })
        .catch((error) => [error instanceof DurableObjectSqliteError, error.code, error.sql])
      const names = []
      for await (const { name } of db.selectFrom('person').selectAll().stream(1)) names.push(name)
      const rows = await db.selectFrom('person').selectAll().execute()
      return { error, names, symbols: rows.flatMap((row) => Object.getOwnPropertySymbols(row)).length, process: typeof process }
    },
    /** Returns in the middle of a transaction. */
    async leave(db) {
      const trx = await db.startTransaction().execute()
      await add(trx, 'left').execute()
      return 'left'
    },
    async leaveInSavepoint(db) {
      const trx = await db.startTransaction().execute()
      await (await trx.savepoint('a').execute()).insertInto('person').values({ name: 'left' }).execute()
      return 'left'
    },
    async leaveWithoutWaiting(db) {
      db.transaction().execute(async (trx) => {
        await add(trx, 'left').execute()
        await scheduler.wait(10_000)
      }).catch(() => {})
      await scheduler.wait(50)
      return 'left'
    },
    async leaveStream(db) {
      await db.selectFrom('person').selectAll().stream(1).next()
      return 'left'
    },
    async leaveStreamOfTransaction(db) {
      const trx = await db.startTransaction().execute()
      await add(trx, 'left').execute()
      await trx.selectFrom('person').selectAll().stream(1).next()
      return 'left'
    },
    /** Until the client gives up. */
    async hang(db) {
      const trx = await db.startTransaction().execute()
      await add(trx, 'hung').execute()
      await scheduler.wait(15_000)
      await trx.commit().execute()
    },
    async throws(db) {
      const trx = await db.startTransaction().execute()
      await add(trx, 'thrown').execute()
      throw new Error('in the page')
    },
    shared: async () => (await shared.selectFrom('person').select('name').execute()).length,
  }

  export default {
    async fetch(request, env) {
      const name = new URL(request.url).pathname.slice(1)
      if (name === 'state') return Response.json(await env.TENANT.getByName('acme').state())
      const tenant = env.TENANT.getByName('acme')
      const db = new Kysely({
        dialect: new RemoteDurableObjectDialect(() => name === 'hang' ? tenant.impatientDatabase() : tenant.database()),
      })
      return Response.json(await pages[name](db))
    },
  }`

let script: string

beforeAll(async () => {
  script = await bundleWorker(source, { target: 'es2022' })
})

interface Requests {
  readonly get: (path: string, init?: { signal: AbortSignal }) => Promise<unknown>
  /** What workerd has printed. */
  readonly output: readonly string[]
}

async function withWorker(
  date: string,
  body: (requests: Requests) => Promise<void>,
): Promise<void> {
  const output: string[] = []
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: date,
      // The newest dates imply them.
      compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
      durableObjects: { TENANT: { className: 'Tenant', useSQLite: true } },
      handleStructuredLogs: ({ message }) => void output.push(message),
    }),
  )
  try {
    await body({
      get: async (path, init) => {
        const response = await miniflare.dispatchFetch(`http://worker/${path}`, init)
        const text = await response.text()
        return response.ok ? JSON.parse(text) : text
      },
      output,
    })
  } finally {
    await miniflare.dispose()
  }
}

describe.each(['2024-09-23', '2026-04-06', newest])(
  './remote in plain workerd as of %s',
  (date) => {
    it('should query, transact, batch and stream without nodejs_compat, in one session a Kysely', () =>
      withWorker(date, async ({ get, output }) => {
        expect(await get('page')).toEqual({
          error: [true, 'SQLITE_CONSTRAINT_UNIQUE', 'insert into `person` (`name`) values (?)'],
          names: ['Ada', 'Grace', 'Eve'],
          symbols: 0,
          process: 'undefined',
        })
        await expect
          .poll(() => get('state'))
          .toEqual({ sessions: 0, names: ['Ada', 'Grace', 'Eve'] })
        expect(output).toEqual([])
      }))

    it.each([
      'leave',
      'leaveInSavepoint',
      'leaveWithoutWaiting',
      'leaveStream',
      'leaveStreamOfTransaction',
      'throws',
    ])('should undo what a request leaves behind that ends too early: %s', (page) =>
      withWorker(date, async ({ get }) => {
        await get('page')
        const start = Date.now()
        await get(page)
        await expect
          .poll(() => get('state'))
          .toEqual({ sessions: 0, names: ['Ada', 'Grace', 'Eve'] })
        // And not when the time of the transaction has run out.
        expect(Date.now() - start).toBeLessThan(10_000)
      }),
    )

    it('should undo the transaction of a request that its client has cancelled', () =>
      withWorker(date, async ({ get }) => {
        await get('page')
        const cancelled = get('hang', { signal: AbortSignal.timeout(300) })
        await expect(cancelled).rejects.toThrow('aborted')
        // Local workerd lets the Worker go on, and so it is the time of the transaction that runs out.
        expect(await get('state')).toMatchObject({ names: ['Ada', 'Grace', 'Eve'] })
      }))

    it('should open a session for each request where they share a Kysely', () =>
      withWorker(date, async ({ get }) => {
        await get('page')
        expect(await get('shared')).toBe(3)
        expect(await get('shared')).toBe(3)
        expect(await Promise.all([1, 2, 3, 4].map(() => get('shared')))).toEqual([3, 3, 3, 3])
        await expect.poll(() => get('state')).toMatchObject({ sessions: 0 })
      }))
  },
)
