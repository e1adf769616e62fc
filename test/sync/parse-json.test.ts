import {
  CamelCasePlugin,
  type KyselyPlugin,
  ParseJSONResultsPlugin,
  type QueryResult,
  sql,
  type UnknownRow,
} from 'kysely'
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/sqlite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type QueryParameters, SyncExecutor, type SyncResultPlugin } from '../../src/index.js'
import { type PersonDatabase, withPerson } from '../person.js'
import type { Kysely } from 'kysely'

/** What JSON may look like in a result, and what only looks like it. */
const values = [
  '[1, 2, {"a": "[3]"}]',
  '{"a": {"b": null}}',
  '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
  '{ not json }',
  '[',
  '"text"',
  'Ada',
  '',
]

afterEach(() => {
  vi.restoreAllMocks()
})

async function insertValues(db: Kysely<PersonDatabase>): Promise<void> {
  await db
    .insertInto('person')
    .values(values.map((name) => ({ name })))
    .execute()
}

/** The rows, or what was thrown instead. */
async function rowsOrError(run: () => unknown): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    return String(error)
  }
}

describe('ParseJSONResultsPlugin', () => {
  it.each<[string, ConstructorParameters<typeof ParseJSONResultsPlugin>[0]]>([
    ['no options', undefined],
    ['objectStrategy create', { objectStrategy: 'create' }],
    ['objectStrategy in-place', { objectStrategy: 'in-place' }],
    ['a reviver', { reviver: (key, value) => (key === 'a' ? 'revived' : value) }],
    ['a shouldParse', { shouldParse: (_, path) => path.includes('[1]') || path.includes('"b"') }],
    ['a shouldParse that takes what is no JSON', { shouldParse: () => true }],
    [
      'a shouldParse that throws',
      {
        shouldParse: () => {
          throw new RangeError('refused')
        },
      },
    ],
  ])('should parse what awaiting the query would, with %s', (_, options) =>
    withPerson(async ({ db, storage }) => {
      vi.spyOn(console, 'error').mockReturnValue()
      await insertValues(db)
      const plugged = db.withPlugin(new ParseJSONResultsPlugin(options))
      const sync = new SyncExecutor(plugged, storage)
      const query = plugged.selectFrom('person').selectAll().orderBy('id')
      const awaited = await rowsOrError(() => query.execute())
      expect(await rowsOrError(() => sync.execute(query))).toEqual(awaited)
      // A failure of one query is not that of the next.
      const none = plugged.selectFrom('person').select('id').where('id', '=', 1)
      expect(sync.execute(none)).toEqual([{ id: 1 }])
    }),
  )

  it('should parse what jsonArrayFrom and jsonObjectFrom select, prepared too', () =>
    withPerson(async ({ db, storage }) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const plugged = db.withPlugin(new ParseJSONResultsPlugin())
      const sync = new SyncExecutor(plugged, storage)
      const prepared = sync.prepare((param: QueryParameters<{ id: number }>) =>
        plugged
          .selectFrom('person as p')
          .select((eb) => [
            jsonArrayFrom(
              eb.selectFrom('person').select('name').whereRef('person.id', '=', 'p.id'),
            ).as('all'),
            jsonObjectFrom(
              eb.selectFrom('person').select('id').whereRef('person.id', '=', 'p.id'),
            ).as('one'),
          ])
          .where('p.id', '=', param('id')),
      )
      expect(prepared.execute({ id: 1 })).toEqual([{ all: [{ name: 'Ada' }], one: { id: 1 } }])
    }))

  it.each([
    ['before', true],
    ['after', false],
  ])('should work %s CamelCasePlugin', (_, isFirst) =>
    withPerson(async ({ db, storage }) => {
      const plugins: KyselyPlugin[] = [new ParseJSONResultsPlugin(), new CamelCasePlugin()]
      const plugged = (isFirst ? plugins : plugins.toReversed()).reduce(
        (db, plugin) => db.withPlugin(plugin),
        db,
      )
      const query = plugged.selectNoFrom(sql<string>`'[{"snake_case": 1}]'`.as('some_rows'))
      const sync = new SyncExecutor(plugged, storage)
      expect(sync.execute(query)).toEqual(await query.execute())
    }),
  )

  it('should change no rows that belong to the plugin before it, with objectStrategy create', () =>
    withPerson(async ({ db, storage }) => {
      const rows = Object.freeze([Object.freeze({ json: '[1]' })]) as unknown as UnknownRow[]
      const cache: SyncResultPlugin = {
        transformQuery: ({ node }) => node,
        transformResultSync: ({ result }): QueryResult<UnknownRow> => ({ ...result, rows }),
        transformResult: async (args) => cache.transformResultSync(args),
      }
      const plugged = db
        .withPlugin(cache)
        .withPlugin(new ParseJSONResultsPlugin({ objectStrategy: 'create' }))
      const sync = new SyncExecutor(plugged, storage)
      expect(sync.execute(plugged.selectFrom('person').selectAll())).toEqual([{ json: [1] }])
      expect(rows).toEqual([{ json: '[1]' }])
    }))
})
