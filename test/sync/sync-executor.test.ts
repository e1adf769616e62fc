import {
  CamelCasePlugin,
  CompiledQuery,
  DummyDriver,
  type Generated,
  HandleEmptyInListsPlugin,
  InsertResult,
  Kysely,
  type KyselyPlugin,
  NoResultError,
  ParseJSONResultsPlugin,
  type QueryNode,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import * as kysely from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  DurableObjectSqliteDialect,
  type DurableObjectSqliteQueryEvent,
  type QueryParameters,
  SyncExecutor,
  type SyncResultPlugin,
} from '../../src/index.js'
import { inDurableObject, newObject, type Scope } from '../harness.js'
import { listen } from '../listen.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

interface SyncScope extends Scope<Database> {
  readonly sync: SyncExecutor
}

/** Runs the body with a table `person` of two rows and an executor. */
function withPeople(
  body: (scope: SyncScope) => void | Promise<void>,
  plugins: KyselyPlugin[] = [],
): Promise<void> {
  return inDurableObject<Database>(
    (scope) => {
      scope.sql.exec(`
        create table person (id integer primary key, name text not null unique);
        insert into person values (1, 'Ada'), (2, 'Grace');
      `)
      return body({ ...scope, sync: new SyncExecutor(scope.db, scope.storage) })
    },
    { kysely: { plugins } },
  )
}

const ada = { id: 1, name: 'Ada' }
const grace = { id: 2, name: 'Grace' }

describe('a SyncExecutor', () => {
  it('should return rows at once', () =>
    withPeople(({ db, sync }) => {
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))

  it('should return the result of a write', () =>
    withPeople(({ db, sync }) => {
      expect(sync.execute(db.insertInto('person').values({ name: 'Eve' }))).toStrictEqual([
        new InsertResult(3n, 1n),
      ])
    }))

  it('should return the first row, or undefined', () =>
    withPeople(({ db, sync }) => {
      const query = db.selectFrom('person').selectAll()
      expect(sync.executeTakeFirst(query)).toEqual(ada)
      expect(sync.executeTakeFirst(query.where('id', '=', 9))).toBeUndefined()
    }))

  it('should throw NoResultError, or the error it is given, for no row', () =>
    withPeople(({ db, sync }) => {
      class NotFound extends Error {
        constructor(readonly node: QueryNode) {
          super(`no row for ${node.kind}`)
        }
      }
      const query = db.selectFrom('person').selectAll()
      const none = query.where('id', '=', 9)
      expect(sync.executeTakeFirstOrThrow(query)).toEqual(ada)
      expect(() => sync.executeTakeFirstOrThrow(none)).toThrow(NoResultError)
      expect(() => sync.executeTakeFirstOrThrow(none, NotFound)).toThrow(NotFound)
      expect(() =>
        sync.executeTakeFirstOrThrow(none, (node) => new Error(`no row for ${node.kind}`)),
      ).toThrow(new Error('no row for SelectQueryNode'))
    }))

  it('should run a compiled query', () =>
    withPeople(({ db, sync }) => {
      const query = db.selectFrom('person').select('name').where('id', '=', 1)
      expect(sync.execute(query.compile())).toEqual([{ name: 'Ada' }])
      expect(sync.execute(CompiledQuery.raw('select ? as a', ['b']))).toEqual([{ a: 'b' }])
    }))

  it('should report each query to onQuery, with its parameters', () => {
    const events: DurableObjectSqliteQueryEvent[] = []
    return inDurableObject<Database>(
      ({ db, storage }) => {
        const sync = new SyncExecutor(db, storage)
        storage.sql.exec('create table person (id integer primary key, name text)')
        sync.run(db.insertInto('person').values({ name: 'Ada' }))
        sync
          .prepare((param: QueryParameters<{ id: number }>) =>
            db.selectFrom('person').select('name').where('id', '=', param('id')),
          )
          .execute({ id: 1 })
        expect(
          events.map(({ query, rowsRead, rowsWritten }) => [
            query.sql,
            query.parameters,
            rowsRead,
            rowsWritten,
          ]),
        ).toEqual([
          ['insert into `person` (`name`) values (?)', ['Ada'], 0, 1],
          ['select `name` from `person` where `id` = ?', [1], 1, 0],
        ])
      },
      { dialect: { onQuery: (event) => events.push(event) } },
    )
  })
})

describe('run()', () => {
  it('should send nothing but the query', () =>
    withPeople(({ storage }) => {
      const { storage: listened, statements } = listen(storage)
      const db = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(listened) })
      const sync = new SyncExecutor(db, listened)
      sync.run(db.insertInto('person').values({ name: 'Eve' }))
      sync.run(db.updateTable('person').set({ name: 'Bob' }).where('id', '=', 1))
      sync.run(db.deleteFrom('person').where('id', '=', 2))
      expect(statements).toEqual([
        'insert into `person` (`name`) values (?)',
        'update `person` set `name` = ? where `id` = ?',
        'delete from `person` where `id` = ?',
      ])
    }))

  it('should read a write with returning to its end', async () => {
    const stub = newObject()
    await inDurableObject<Database>(
      ({ db, sql, storage }) => {
        sql.exec('create table person (id integer primary key, name text)')
        new SyncExecutor(db, storage).run(
          db
            .insertInto('person')
            .values([{ name: 'Ada' }, { name: 'Grace' }])
            .returning('id'),
        )
      },
      { stub },
    )
    await inDurableObject<Database>(
      ({ sql }) => {
        expect(sql.exec('select * from person').toArray()).toEqual([ada, grace])
      },
      { stub },
    )
  })

  it('should throw what execute() throws', () =>
    withPeople(({ db, sync }) => {
      const insert = db.insertInto('person').values({ name: 'Ada' })
      expect(() => sync.run(insert)).toThrow(
        expect.objectContaining({ code: 'SQLITE_CONSTRAINT_UNIQUE' }),
      )
      expect(() => sync.run(sql`pragma foreign_keys = off`)).toThrow(
        expect.objectContaining({ code: 'ERR_PRAGMA_IGNORED' }),
      )
    }))

  it('should forget what it knew of a table when the schema changes', () =>
    withPeople(({ db, sync }) => {
      sync.execute(db.insertInto('person').values({ name: 'Eve' }))
      sync.run(sql`drop table person`)
      sync.run(sql`create table person (id integer, name text primary key) without rowid`)
      expect(sync.execute(db.insertInto('person').values({ name: 'Eve' }))).toStrictEqual([
        new InsertResult(undefined, 1n),
      ])
    }))
})

describe('transaction()', () => {
  it('should keep everything and return what the closure returns', () =>
    withPeople(({ db, sync }) => {
      const count = sync.transaction(() => {
        sync.run(db.insertInto('person').values({ name: 'Eve' }))
        return sync.execute(db.selectFrom('person').select('id')).length
      })
      expect(count).toBe(3)
      expect(sync.execute(db.selectFrom('person').select('name').orderBy('id'))).toEqual([
        { name: 'Ada' },
        { name: 'Grace' },
        { name: 'Eve' },
      ])
    }))

  it('should undo everything and throw on when the closure throws', () =>
    withPeople(({ db, sync }) => {
      const failure = new Error('no')
      const insert = sync.prepare(() => db.insertInto('person').values({ name: 'Eve' }))
      expect(() =>
        sync.transaction(() => {
          insert.run()
          sync.run(db.deleteFrom('person').where('id', '=', 1))
          throw failure
        }),
      ).toThrow(failure)
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))

  it('should undo a nested transaction alone', () =>
    withPeople(({ db, sync }) => {
      sync.transaction(() => {
        sync.run(db.insertInto('person').values({ name: 'Eve' }))
        expect(() =>
          sync.transaction(() => {
            sync.run(db.deleteFrom('person'))
            throw new Error('no')
          }),
        ).toThrow('no')
      })
      expect(sync.execute(db.selectFrom('person').select('id'))).toEqual([
        { id: 1 },
        { id: 2 },
        { id: 3 },
      ])
    }))

  it('should refuse a closure that returns a promise', () =>
    withPeople(({ db, sync }) => {
      expect(() =>
        // @ts-expect-error
        sync.transaction(async () => {
          sync.run(db.deleteFrom('person'))
        }),
      ).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_TRANSACTION' }))
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))
})

describe('while a db.transaction() is open', () => {
  it('should refuse an executor made from db, inside and outside', () =>
    withPeople(async ({ db, sync }) => {
      const query = db.deleteFrom('person')
      const refused = expect.objectContaining({ code: 'ERR_TRANSACTION_OPEN' })
      const prepared = sync.prepare(() => query)
      async function outside(): Promise<void> {
        await Promise.resolve()
        expect(() => sync.run(query)).toThrow(refused)
      }
      await db.transaction().execute(async (trx) => {
        expect(() => sync.execute(query)).toThrow(refused)
        expect(() => sync.run(trx.deleteFrom('person'))).toThrow(refused)
        expect(() => prepared.run()).toThrow(refused)
        expect(() => sync.transaction(() => {})).toThrow(refused)
        await outside()
      })
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))

  it('should run an executor made from trx inside the transaction', () =>
    withPeople(async ({ db, storage, sync }) => {
      const failure = new Error('no')
      await expect(
        db.transaction().execute(async (trx) => {
          const inside = new SyncExecutor(trx, storage)
          inside.run(trx.insertInto('person').values({ name: 'Eve' }))
          inside.transaction(() => inside.run(trx.deleteFrom('person').where('id', '=', 1)))
          expect(await trx.selectFrom('person').select('name').orderBy('id').execute()).toEqual([
            { name: 'Grace' },
            { name: 'Eve' },
          ])
          throw failure
        }),
      ).rejects.toBe(failure)
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))

  it('should refuse an executor made from trx once the transaction has ended', () =>
    withPeople(async ({ db, storage }) => {
      const ended = expect.objectContaining({ code: 'ERR_TRANSACTION_ENDED' })
      const { inside, first } = await db.transaction().execute(async (trx) => ({
        inside: new SyncExecutor(trx, storage),
        first: trx,
      }))
      expect(() => inside.run(db.deleteFrom('person'))).toThrow(ended)
      expect(() => new SyncExecutor(first, storage)).toThrow(ended)
      await db.transaction().execute(async () => {
        expect(() => inside.run(db.deleteFrom('person'))).toThrow(ended)
      })
    }))

  it('should refuse one made from an ended trx while another transaction is open', () =>
    withPeople(async ({ db, storage, sync }) => {
      const committed = await db.transaction().execute(async (trx) => trx)
      const rolledBack = await db.startTransaction().execute()
      await rolledBack.rollback().execute()
      const ended = expect.objectContaining({ code: 'ERR_TRANSACTION_ENDED' })
      await db.transaction().execute(async (trx) => {
        expect(() => new SyncExecutor(committed, storage)).toThrow(ended)
        expect(() => new SyncExecutor(rolledBack, storage)).toThrow(ended)
        new SyncExecutor(trx, storage).run(trx.deleteFrom('person'))
      })
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([])
    }))

  it('should have one in a loop over a stream of trx', () =>
    withPeople(async ({ db, storage }) => {
      await db.transaction().execute(async (trx) => {
        for await (const { id } of trx.selectFrom('person').selectAll().stream(1)) {
          const update = trx
            .updateTable('person')
            .set({ name: `${id}` })
            .where('id', '=', id)
          new SyncExecutor(trx, storage).run(update)
        }
      })
      expect(await db.selectFrom('person').select('name').execute()).toEqual([
        { name: '1' },
        { name: '2' },
      ])
    }))

  it('should keep a read only transaction from writing', () =>
    withPeople(async ({ db, storage, sync }) => {
      for (const write of ['execute', 'run'] as const) {
        await expect(
          db
            .transaction()
            .setAccessMode('read only')
            .execute(async (trx) => {
              const inside = new SyncExecutor(trx, storage)
              expect(inside.execute(trx.selectFrom('person').selectAll())).toEqual([ada, grace])
              inside[write](trx.deleteFrom('person'))
            }),
        ).rejects.toMatchObject({ code: 'ERR_READ_ONLY_TRANSACTION' })
      }
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))

  it('should let a controlled transaction have an executor', () =>
    withPeople(async ({ db, storage, sync }) => {
      const trx = await db.startTransaction().execute()
      new SyncExecutor(trx, storage).run(trx.deleteFrom('person'))
      await trx.rollback().execute()
      expect(sync.execute(db.selectFrom('person').selectAll())).toEqual([ada, grace])
    }))
})

describe('the plugins of db', () => {
  it('should apply CamelCasePlugin to queries and results', () =>
    withPeople(
      ({ db, sync }) => {
        const people = db.selectFrom('person').select('name as fullName')
        expect(sync.execute(people)).toEqual([{ fullName: 'Ada' }, { fullName: 'Grace' }])
        expect(sync.prepare(() => people).executeTakeFirst()).toEqual({ fullName: 'Ada' })
        expect(people.compile().sql).toBe('select `name` as `full_name` from `person`')
      },
      [new CamelCasePlugin()],
    ))

  it('should apply those that leave results alone', () =>
    withPeople(({ db, storage }) => {
      const plugins: KyselyPlugin[] = [
        new kysely.DeduplicateJoinsPlugin(),
        new kysely.WithSchemaPlugin('main'),
        new HandleEmptyInListsPlugin({ strategy: kysely.replaceWithNoncontingentExpression }),
      ]
      // Kysely 0.28 has no such plugin.
      if ('SafeNullComparisonPlugin' in kysely) {
        plugins.push(new kysely.SafeNullComparisonPlugin())
      }
      const plugged = plugins.reduce((db, plugin) => db.withPlugin(plugin), db)
      const sync = new SyncExecutor(plugged, storage)
      expect(sync.execute(plugged.selectFrom('person').selectAll())).toEqual([ada, grace])
      expect(sync.execute(plugged.selectFrom('person').selectAll().where('id', 'in', []))).toEqual(
        [],
      )
    }))

  it('should apply the transformResultSync() of a plugin', () => {
    const upperCase: SyncResultPlugin = {
      transformQuery: ({ node }) => node,
      transformResultSync: ({ result }) => ({
        ...result,
        rows: result.rows.map((row) => ({ ...row, name: String(row['name']).toUpperCase() })),
      }),
      transformResult: async (args) => upperCase.transformResultSync(args),
    }
    return withPeople(
      async ({ db, sync }) => {
        const query = db.selectFrom('person').select('name')
        expect(sync.execute(query)).toEqual([{ name: 'ADA' }, { name: 'GRACE' }])
        expect(await query.execute()).toEqual([{ name: 'ADA' }, { name: 'GRACE' }])
      },
      [upperCase],
    )
  })

  it('should refuse one whose results need a promise, by name', () =>
    withPeople(({ db, storage }) => {
      class OwnPlugin extends CamelCasePlugin {
        override async transformResult(
          args: Parameters<CamelCasePlugin['transformResult']>[0],
        ): ReturnType<CamelCasePlugin['transformResult']> {
          return args.result
        }
      }
      class OwnParseJson extends ParseJSONResultsPlugin {
        override async transformResult(
          args: Parameters<CamelCasePlugin['transformResult']>[0],
        ): ReturnType<CamelCasePlugin['transformResult']> {
          return args.result
        }
      }
      for (const plugin of [new OwnParseJson(), new OwnPlugin()]) {
        expect(() => new SyncExecutor(db.withPlugin(plugin), storage)).toThrow(
          expect.objectContaining({
            code: 'ERR_UNSUPPORTED_PLUGIN',
            message: expect.stringContaining(`the plugin ${plugin.constructor.name} can only`),
          }),
        )
      }
      expect(
        new SyncExecutor(db.withPlugin(new OwnPlugin()).withoutPlugins(), storage),
      ).toBeInstanceOf(SyncExecutor)
    }))
})

describe('the constructor', () => {
  it('should refuse a Kysely of another dialect', () =>
    inDurableObject(({ storage }) => {
      const db = new Kysely({
        dialect: {
          createAdapter: () => new SqliteAdapter(),
          createDriver: () => new DummyDriver(),
          createIntrospector: (db) => new SqliteIntrospector(db),
          createQueryCompiler: () => new SqliteQueryCompiler(),
        },
      })
      expect(() => new SyncExecutor(db, storage)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_DATABASE' }),
      )
    }))

  it('should refuse a Kysely on another storage', () =>
    inDurableObject(({ storage, db }) => {
      expect(() => new SyncExecutor(db, listen(storage).storage)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_DATABASE' }),
      )
    }))

  it('should take a Kysely on ctx.storage.sql', () =>
    inDurableObject(({ storage }) => {
      const db = new Kysely({ dialect: new DurableObjectSqliteDialect(storage.sql) })
      const sync = new SyncExecutor(db, storage)
      expect(sync.transaction(() => sync.execute(sql`select 1 as one`))).toEqual([{ one: 1 }])
    }))
})
