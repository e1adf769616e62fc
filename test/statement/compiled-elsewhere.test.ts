import {
  type CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  DummyDriver,
} from 'kysely'
import { expect, it } from 'vitest'
import { SyncExecutor } from '../../src/index.js'
import { collect } from '../collect.js'
import { isRemote } from '../harness.js'
import { type PersonDatabase, withPerson } from '../person.js'

/** A Kysely that compiles to SQL and runs nothing, as one in another Worker. */
const elsewhere = new Kysely<PersonDatabase>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const insert = elsewhere.insertInto('person').values([{ name: 'Ada' }, { name: 'Grace' }])
const update = elsewhere.updateTable('person').set({ name: 'Eve' }).where('id', '=', 1)
const remove = elsewhere.deleteFrom('person').where('id', '=', 2)

/** What is left of a compiled query that was sent elsewhere. */
const forms: [string, (query: CompiledQuery) => CompiledQuery][] = [
  ['an empty node', (query) => ({ ...query, query: {} as CompiledQuery['query'] })],
  [
    'a node of an unknown kind',
    (query) => ({ ...query, query: { kind: 'Elsewhere' } as unknown as CompiledQuery['query'] }),
  ],
  [
    'no node',
    ({ sql, parameters, queryId }) => ({ sql, parameters, queryId }) as unknown as CompiledQuery,
  ],
  ['its text and values alone', ({ sql, parameters }) => ({ sql, parameters }) as CompiledQuery],
]

it.each(forms)('should take a compiled query with %s for raw SQL', (_, form) =>
  withPerson(async ({ db }) => {
    expect(await db.executeQuery(form(insert.compile()))).toEqual({
      rows: [],
      numAffectedRows: 2n,
      insertId: 2n,
    })
    expect(await db.executeQuery(form(update.compile()))).toEqual({
      rows: [],
      numAffectedRows: 1n,
    })
    expect(await db.executeQuery(form(remove.compile()))).toEqual({
      rows: [],
      numAffectedRows: 1n,
    })
    expect(await db.executeQuery(form(remove.compile()))).toEqual({
      rows: [],
      numAffectedRows: 0n,
    })
    expect(
      await db.executeQuery(form(elsewhere.selectFrom('person').selectAll().compile())),
    ).toEqual({ rows: [{ id: 1, name: 'Eve' }] })
    expect(await db.executeQuery(form(elsewhere.schema.dropTable('person').compile()))).toEqual({
      rows: [],
      numAffectedRows: 0n,
    })
  }),
)

it.each(forms)('should refuse a value before anything is written, of a query with %s', (_, form) =>
  withPerson(async ({ db }) => {
    const query = elsewhere.insertInto('person').values({ name: Number.NaN as unknown as string })
    await expect(db.executeQuery(form(query.compile()))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_PARAMETER',
    })
    expect(await db.selectFrom('person').selectAll().execute()).toEqual([])
  }),
)

// Not remote: a SyncExecutor is for the object itself.
it.skipIf(isRemote).each(forms)('should run a query with %s synchronously', (_, form) =>
  withPerson(async ({ db, storage }) => {
    const sync = new SyncExecutor(db, storage)
    expect(sync.execute(form(insert.compile()))).toEqual([])
    sync.run(form(update.compile()))
    expect(sync.execute(form(elsewhere.selectFrom('person').select('name').compile()))).toEqual([
      { name: 'Eve' },
      { name: 'Grace' },
    ])
  }),
)

it.each(forms)('should stream a query with %s', (_, form) =>
  withPerson(async ({ db }) => {
    const executor = db.getExecutor()
    const chunks = await collect(executor.stream(form(insert.returning('id').compile()), 1))
    expect(chunks).toEqual([{ rows: [{ id: 1 }] }, { rows: [{ id: 2 }] }])
  }),
)
