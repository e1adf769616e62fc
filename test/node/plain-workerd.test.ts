import { createRequire } from 'node:module'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker } from './bundle-worker.ts'

const { compatibilityDate: newest } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}

/** Bundled from the built package, as a user's Worker is. */
const source = `
  import { DurableObject } from 'cloudflare:workers'
  import { Kysely } from 'kysely'
  import { DurableObjectSqliteDialect, DurableObjectSqliteError, withDoTransaction } from 'kysely-durable-sqlite'
  import { migrateToLatest } from 'kysely-durable-sqlite/migration'

  export class Example extends DurableObject {
    async fetch() {
      const results = {}
      const { storage } = this.ctx
      const db = new Kysely({ dialect: new DurableObjectSqliteDialect(storage) })
      const add = (db, name) => db.insertInto('person').values({ name })
      await db.schema.createTable('person')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.unique())
        .execute()
      const { insertId } = await add(db, 'Ada').executeTakeFirstOrThrow()
      results.insertId = String(insertId)
      await db.transaction().execute(async (trx) => {
        await add(trx, 'Grace').execute()
      })
      results.error = await db.transaction().execute(async (trx) => {
        await add(trx, 'Eve').execute()
        await add(trx, 'Ada').execute()
      }).catch((error) => error instanceof DurableObjectSqliteError && error.code)
      withDoTransaction(storage, (sql) => { sql.exec("insert into person (name) values ('Bob')") })
      results.stream = []
      for await (const row of db.selectFrom('person').selectAll().stream(1)) {
        results.stream.push(row)
      }
      results.migrated = await migrateToLatest(storage, { '0001': 'create table pet (name text)' })
      results.migrationError = await migrateToLatest(storage, {})
        .catch((error) => error instanceof DurableObjectSqliteError && error.code)
      results.tables = (await db.introspection.getTables()).map(({ name }) => name)
      results.codeGeneration = (() => { try { return new Function('return 1')() } catch (error) { return error.name } })()
      results.process = typeof process
      return Response.json(results)
    }
  }

  export default {
    fetch(request, env) {
      return env.EXAMPLE.get(env.EXAMPLE.newUniqueId()).fetch(request)
    },
  }`

let script: string

beforeAll(async () => {
  script = await bundleWorker(source)
})

describe.each(['2024-09-23', newest])('the built package in plain workerd as of %s', (date) => {
  it('should create, insert, select, transact, roll back, stream and migrate without nodejs_compat', async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        modules: true,
        script,
        compatibilityDate: date,
        // The newest dates imply them.
        compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
        durableObjects: { EXAMPLE: { className: 'Example', useSQLite: true } },
      }),
    )
    try {
      const response = await miniflare.dispatchFetch('http://worker/')
      expect(await response.text()).toBe(
        JSON.stringify({
          insertId: '1',
          error: 'SQLITE_CONSTRAINT_UNIQUE',
          stream: [
            { id: 1, name: 'Ada' },
            { id: 2, name: 'Grace' },
            { id: 3, name: 'Bob' },
          ],
          migrated: ['0001'],
          migrationError: 'ERR_MIGRATION_MISSING',
          tables: ['person', 'pet'],
          codeGeneration: 'EvalError',
          process: 'undefined',
        }),
      )
    } finally {
      await miniflare.dispose()
    }
  })
})
