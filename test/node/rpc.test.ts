import { createRequire } from 'node:module'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker } from './bundle-worker.ts'

const { compatibilityDate: newest } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}

/** An object whose methods return what Kysely gives, and a Worker that says what arrived. */
const source = `
  import { DurableObject } from 'cloudflare:workers'
  import { Kysely } from 'kysely'
  import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

  export class People extends DurableObject {
    db = new Kysely({ dialect: new DurableObjectSqliteDialect(this.ctx.storage) })
    constructor(ctx, env) {
      super(ctx, env)
      ctx.storage.sql.exec('create table person (id integer primary key, name text unique)')
    }
    add(name) { return this.db.insertInto('person').values({ name }).executeTakeFirstOrThrow() }
    async addForId(name) { return (await this.add(name)).insertId }
    rename(name) { return this.db.updateTable('person').set({ name }).where('id', '=', 2).executeTakeFirstOrThrow() }
    remove() { return this.db.deleteFrom('person').executeTakeFirstOrThrow() }
    rows() { return this.db.selectFrom('person').selectAll().execute() }
    one(name) { return this.db.selectFrom('person').selectAll().where('name', '=', name).executeTakeFirstOrThrow() }
    stream() { return this.db.selectFrom('person').selectAll().stream() }
  }

  async function arrived(promise) {
    try {
      const value = await promise
      return typeof value === 'bigint' ? \`\${value}n\` : value
    } catch (error) {
      const { name, message, code, sql, node, constructor } = error
      const value = node?.where.where.rightOperand.value
      return { name, message, code, sql, value, isError: error instanceof Error, constructor: constructor.name }
    }
  }

  export default {
    async fetch(request, env) {
      const people = env.PEOPLE.get(env.PEOPLE.newUniqueId())
      const results = {}
      results.insertId = await arrived(people.addForId('Ada'))
      results.rows = await arrived(people.rows())
      results.error = await arrived(people.addForId('Ada'))
      for (const method of ['add', 'rename', 'remove', 'stream']) {
        results[method] = await arrived(people[method]('Eve'))
      }
      results.noResult = await arrived(people.one('Eve'))
      results.rowsAfterwards = await arrived(people.rows())
      return Response.json(results)
    },
  }`

let script: string

beforeAll(async () => {
  script = await bundleWorker(source)
})

/** https://developers.cloudflare.com/workers/configuration/compatibility-flags/ */
const FROM_2026_04_21 = ['2026-04-21', newest]

const notCloned = (message: string): object => ({
  name: 'DataCloneError',
  message,
  code: 25,
  isError: true,
  constructor: 'DOMException',
})

const message =
  'UNIQUE constraint failed: person.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)'

const unclassed = (type: string): object =>
  notCloned(
    `Could not serialize object of type "${type}". This type does not support serialization.`,
  )

describe.each(['2024-09-23', '2026-04-06', '2026-04-20', ...FROM_2026_04_21])(
  'across RPC as of %s',
  (compatibilityDate) => {
    it('should pass rows and ids, and errors as docs/limits.md says, and no result classes or iterators', async () => {
      const miniflare = new Miniflare(
        convertV4MiniflareOptions({
          modules: true,
          script,
          compatibilityDate,
          durableObjects: { PEOPLE: { className: 'People', useSQLite: true } },
        }),
      )
      try {
        const response = await miniflare.dispatchFetch('http://worker/')
        expect(await response.json()).toEqual({
          insertId: '1n',
          rows: [{ id: 1, name: 'Ada' }],
          error: FROM_2026_04_21.includes(compatibilityDate)
            ? {
                name: 'DurableObjectSqliteError',
                message,
                code: 'SQLITE_CONSTRAINT_UNIQUE',
                sql: 'insert into `person` (`name`) values (?)',
                isError: true,
                constructor: 'Error',
              }
            : {
                name: 'Error',
                message: `DurableObjectSqliteError: ${message}`,
                isError: true,
                constructor: 'Error',
              },
          noResult: {
            name: 'Error',
            message: 'no result',
            // Of the query, which is in the error.
            ...(FROM_2026_04_21.includes(compatibilityDate) ? { value: 'Eve' } : {}),
            isError: true,
            constructor: 'Error',
          },
          add: unclassed('InsertResult'),
          rename: unclassed('UpdateResult'),
          remove: unclassed('DeleteResult'),
          stream: notCloned('[object AsyncGenerator] could not be cloned.'),
          rowsAfterwards: [],
        })
      } finally {
        await miniflare.dispose()
      }
    })
  },
)
