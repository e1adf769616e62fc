import {
  CamelCasePlugin,
  CompiledQuery,
  DummyDriver,
  type Generated,
  Kysely,
  type KyselyPlugin,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { Migrator } from 'kysely/migration'
import { expect, it } from 'vitest'
import { QueryBudget, QueryRecorder } from '../../src/cost/index.js'
import {
  DurableObjectSqliteDialect,
  type DurableObjectSqliteDialectConfig,
  type DurableObjectSqliteQueryEvent,
  type QueryParameters,
  SyncExecutor,
} from '../../src/index.js'
import { inDurableObject } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

interface BudgetScope {
  readonly db: Kysely<Database>
  readonly storage: DurableObjectStorage
  readonly sql: SqlStorage
}

/** A table of 10 people. */
function withPeople(
  body: (scope: BudgetScope) => Promise<void> | void,
  dialect?: DurableObjectSqliteDialectConfig,
): Promise<void> {
  return inDurableObject<Database>(
    async ({ db, storage, sql }) => {
      sql.exec('create table person (id integer primary key, name text)')
      sql.exec('create index person_name on person (name)')
      sql.exec(
        "with r(i) as (select 1 union all select i + 1 from r where i < 10) insert into person select i, 'n' || i from r",
      )
      await body({ db, storage, sql })
    },
    dialect === undefined ? {} : { dialect },
  )
}

const all = (db: Kysely<Database>) => db.selectFrom('person').selectAll()
const add = (db: Kysely<Database>) => db.insertInto('person').values({ name: 'new' })
const names = (sql: SqlStorage): number =>
  sql.exec("select count(*) as n from person where name = 'new'").one()['n'] as number

const error = (code: string): unknown => expect.objectContaining({ code })

it('should count what the queries of its own db read and wrote, and no others', () =>
  withPeople(async ({ db }) => {
    const budget = new QueryBudget()
    const [a, b] = [budget.meter(db), budget.meter(db)]
    await all(a.db).execute()
    await add(b.db).execute()
    await all(db).execute()
    await add(db).execute()
    expect([a.rowsRead, a.rowsWritten, b.rowsRead, b.rowsWritten]).toEqual([10, 0, 1, 2])
    expect(a.report()).toEqual([
      { sql: 'select * from `person`', runs: 1, rowsRead: 10, rowsWritten: 0 },
    ])
  }))

it('should count a compiled query where it runs, not where it was built', () =>
  withPeople(async ({ db }) => {
    const budget = new QueryBudget()
    const [a, b] = [budget.meter(db), budget.meter(db)]
    const query = all(a.db).compile()
    await Promise.all([b.db.executeQuery(query), db.executeQuery(query), b.db.executeQuery(query)])
    await a.db.executeQuery(all(db).compile())
    expect([a.rowsRead, b.rowsRead]).toEqual([10, 20])
  }))

it('should keep requests apart that interleave, in whatever way they query', () =>
  withPeople(async ({ db }) => {
    const budget = new QueryBudget()
    const ways: readonly ((db: Kysely<Database>, i: number) => Promise<unknown> | void)[] = [
      (db) => all(db).execute(),
      (db, i) => db.selectFrom('person').select('id').where('id', '=', i).executeTakeFirst(),
      (db) => db.executeQuery(CompiledQuery.raw('select * from person')),
      (db) =>
        db.transaction().execute(async (trx) => {
          await all(trx).execute()
          await trx.withoutPlugins().selectFrom('person').select('id').execute()
        }),
      async (db) => {
        const trx = await db.startTransaction().execute()
        const savepoint = await trx.savepoint('s').execute()
        await all(savepoint).execute()
        await savepoint.rollbackToSavepoint('s').execute()
        await all(trx).execute()
        await trx.rollback().execute()
      },
      (db) => db.connection().execute((connection) => all(connection).execute()),
      async (db) => {
        for await (const _ of all(db).stream(1)) {
          break
        }
      },
      async (db) => {
        for await (const _ of all(db).stream(3)) {
          await all(db).execute()
        }
      },
      (db) => all(db.withPlugin(new CamelCasePlugin())).execute(),
      (db) => all(db.withoutPlugins()).execute(),
      async (db) => {
        await expect(db.executeQuery(CompiledQuery.raw('selec'))).rejects.toThrow('syntax error')
      },
    ]
    const expected: number[] = []
    for (const [i, way] of ways.entries()) {
      const meter = budget.meter(db)
      await way(meter.db, i)
      expected.push(meter.rowsRead)
    }
    // The stream that is left has read two chunks ahead.
    expect(expected).toEqual([10, 1, 10, 20, 20, 10, 3, 110, 10, 10, 0])
    // Each way three times, all at once, in turns that differ.
    const meters = [0, 4, 7].flatMap((shift) =>
      ways.map((_, i) => ({ i: (i + shift) % ways.length, meter: budget.meter(db) })),
    )
    await Promise.all(
      meters.map(async ({ i, meter }, turn) => {
        for (let wait = 0; wait < turn % 7; wait++) {
          await Promise.resolve()
        }
        await ways[i]!(meter.db, i)
      }),
    )
    expect(meters.map(({ meter }) => meter.rowsRead)).toEqual(meters.map(({ i }) => expected[i]))
  }))

it('should count a SyncExecutor and what it prepares, compiled once', () =>
  withPeople(({ db, storage }) => {
    const budget = new QueryBudget()
    const [a, b] = [budget.meter(db), budget.meter(db)]
    const [syncA, syncB] = [new SyncExecutor(a.db, storage), new SyncExecutor(b.db, storage)]
    let builds = 0
    const prepared = syncA.prepare((param: QueryParameters<{ id: number }>) => {
      builds++
      return db.selectFrom('person').select('name').where('id', '=', param('id'))
    })
    const built = builds
    for (let id = 1; id <= 5; id++) {
      expect(prepared.execute({ id })).toEqual([{ name: `n${id}` }])
      syncB.execute(all(a.db))
    }
    syncB.run(add(db))
    expect([a.rowsRead, a.rowsWritten, b.rowsRead, b.rowsWritten]).toEqual([5, 0, 50, 2])
    expect(builds).toBe(built)
  }))

it('should count a SyncExecutor inside a transaction of its db', () =>
  withPeople(async ({ db, storage }) => {
    const meter = new QueryBudget().meter(db)
    await meter.db.transaction().execute(async (trx) => {
      new SyncExecutor(trx, storage).execute(all(trx))
      await all(trx).execute()
    })
    expect(meter.rowsRead).toBe(20)
  }))

it('should meter a transaction, in it and in the db that it is of', () =>
  withPeople(async ({ db, storage, sql }) => {
    const budget = new QueryBudget()
    const outer = budget.meter(db)
    await outer.db.transaction().execute(async (trx) => {
      const inner = budget.meter(trx)
      await add(inner.db).execute()
      new SyncExecutor(inner.db, storage).run(add(inner.db))
      await add(trx).execute()
      expect(inner.db.isTransaction).toBe(true)
      expect([inner.rowsWritten, outer.rowsWritten]).toEqual([4, 6])
    })
    const failure = new Error('undo')
    await expect(
      db.transaction().execute(async (trx) => {
        await add(budget.meter(trx).db).execute()
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(names(sql)).toBe(3)
  }))

it("should count Kysely's migrations on its db", () =>
  withPeople(async ({ db, sql }) => {
    const meter = new QueryBudget().meter(db)
    const migrator = new Migrator({
      db: meter.db,
      provider: {
        getMigrations: async () => ({
          '1': {
            up: async (db) => {
              await db.updateTable('person').set({ name: 'new' }).execute()
            },
          },
        }),
      },
    })
    expect((await migrator.migrateToLatest()).error).toBeUndefined()
    expect(names(sql)).toBe(10)
    expect(
      meter.report().find((cost) => cost.sql === 'update `person` set `name` = ?'),
    ).toMatchObject({ runs: 1, rowsWritten: 20 })
  }))

it('should behave as the db that it was made from: plugins, log and life', () =>
  inDurableObject<{ person: { fullName: string } }>(async ({ storage, sql }) => {
    sql.exec('create table person (full_name text)')
    const logged: string[] = []
    const db = new Kysely<{ person: { fullName: string } }>({
      dialect: new DurableObjectSqliteDialect(storage),
      plugins: [new CamelCasePlugin()],
      log: ({ query }) => void logged.push(query.sql),
    })
    const meter = new QueryBudget().meter(db)
    await meter.db.transaction().execute(async (trx) => {
      await trx.insertInto('person').values({ fullName: 'Ada' }).execute()
    })
    expect(await meter.db.selectFrom('person').select('fullName').execute()).toEqual([
      { fullName: 'Ada' },
    ])
    const sync = new SyncExecutor(meter.db.withPlugin(shouting), storage)
    expect(sync.execute(meter.db.selectFrom('person').select('fullName'))).toEqual([
      { fullName: 'ADA' },
    ])
    expect((await meter.db.introspection.getTables()).map(({ name }) => name)).toEqual(['person'])
    expect(logged.slice(0, 4)).toEqual([
      'begin',
      'insert into `person` (`full_name`) values (?)',
      'commit',
      'select `full_name` from `person`',
    ])
    await meter.db.destroy()
    for (const destroyed of [db, meter.db]) {
      await expect(destroyed.selectFrom('person').selectAll().execute()).rejects.toThrow(
        'driver has already been destroyed',
      )
    }
  }))

const shouting: KyselyPlugin & { transformResultSync: unknown } = {
  transformQuery: ({ node }) => node,
  transformResult: async ({ result }) => result,
  transformResultSync: ({ result }: { result: { rows: { fullName: string }[] } }) => ({
    ...result,
    rows: result.rows.map(({ fullName }) => ({ fullName: fullName.toUpperCase() })),
  }),
}

it('should share what is known of tables with the db that it was made from', () =>
  withPeople(async ({ db }) => {
    const meter = new QueryBudget().meter(db)
    expect((await add(db).executeTakeFirst()).insertId).toBe(11n)
    await meter.db.schema.dropTable('person').execute()
    await meter.db.executeQuery(
      CompiledQuery.raw('create table person (id integer, name text primary key) without rowid'),
    )
    expect((await add(db).executeTakeFirst()).insertId).toBeUndefined()
  }))

it('should refuse a write in a read only transaction as before', () =>
  withPeople(async ({ db, sql }) => {
    const meter = new QueryBudget().meter(db)
    await expect(
      meter.db
        .transaction()
        .setAccessMode('read only')
        .execute((trx) => add(trx).execute()),
    ).rejects.toEqual(error('ERR_READ_ONLY_TRANSACTION'))
    expect([names(sql), meter.rowsWritten]).toEqual([0, 2])
  }))

it('should undo a transaction that goes beyond the budget', () =>
  withPeople(async ({ db, storage, sql }) => {
    const budget = new QueryBudget({ rowsWritten: 3 })
    const meter = budget.meter(db)
    await expect(
      meter.db.transaction().execute(async (trx) => {
        await add(trx).execute()
        await add(trx).execute()
      }),
    ).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
    expect(names(sql)).toBe(0)
    const sync = new SyncExecutor(budget.meter(db).db, storage)
    expect(() =>
      sync.transaction(() => {
        sync.run(add(db))
        sync.execute(add(db))
      }),
    ).toThrow(error('ERR_BUDGET_EXCEEDED'))
    expect(names(sql)).toBe(0)
    // Outside of one, the statement has run.
    const other = budget.meter(db)
    await add(other.db).execute()
    await expect(add(other.db).execute()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
    expect(names(sql)).toBe(2)
  }))

it('should say the totals and the costliest statement, and no value', () =>
  withPeople(async ({ db, sql }) => {
    const meter = new QueryBudget({ rowsRead: 20 }).meter(db)
    await all(meter.db).execute()
    await all(meter.db).execute()
    const one = db.selectFrom('person').select('id').where('name', '=', 'secret').compile()
    sql.exec("insert into person (name) values ('secret')")
    await expect(meter.db.executeQuery(one)).rejects.toMatchObject({
      code: 'ERR_BUDGET_EXCEEDED',
      sql: one.sql,
      message:
        'The queries of this meter have read 21 of 20 rows and written 0 rows. Most of it in 2 runs ' +
        'of one statement, which read 20 and wrote 0: select * from `person`. The statement that ' +
        'went beyond the budget has run; where it must not stay, run it in a transaction.',
    })
    await expect(all(meter.db).execute()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
  }))

it('should allow exactly what the budget says, and reading alone where no row may be written', () =>
  withPeople(async ({ db }) => {
    const meter = new QueryBudget({ rowsRead: 10, rowsWritten: 0 }).meter(db)
    await all(meter.db).execute()
    await expect(add(meter.db).execute()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
  }))

it('should end a stream that went beyond the budget with an error, also where it is left', () =>
  withPeople(async ({ db }) => {
    for (const left of [true, false]) {
      const meter = new QueryBudget({ rowsRead: 0 }).meter(db)
      const read = async (): Promise<void> => {
        for await (const _ of all(meter.db).stream(1)) {
          if (left) {
            break
          }
        }
      }
      await expect(read()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
      expect(meter.rowsRead).toBe(left ? 3 : 10)
    }
  }))

it("should leave a failed statement's own error, and count what it read", () =>
  withPeople(async ({ db, sql }) => {
    sql.exec('create unique index person_unique on person (id, name)')
    const meter = new QueryBudget({ rowsRead: 9 }).meter(db)
    await expect(all(meter.db).execute()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
    await expect(
      meter.db.insertInto('person').values({ id: 1, name: 'x' }).execute(),
    ).rejects.toEqual(error('SQLITE_CONSTRAINT_PRIMARYKEY'))
    expect(meter.report()).toMatchObject([{ runs: 1, rowsRead: 10 }, { runs: 1 }])
  }))

it('should call a function once for each meter, and again as long as it throws', () =>
  withPeople(async ({ db }) => {
    const calls: unknown[] = []
    const budget = new QueryBudget({
      rowsRead: 10,
      onExceeded: ({ code }, { rowsRead }) => void calls.push([code, rowsRead]),
    })
    const meter = budget.meter(db)
    for (let i = 0; i < 4; i++) {
      expect(await all(meter.db).execute()).toHaveLength(10)
    }
    await all(budget.meter(db).db).execute()
    expect(calls).toEqual([['ERR_BUDGET_EXCEEDED', 20]])
    const failure = new Error('429')
    const throwing = new QueryBudget({
      rowsRead: 0,
      onExceeded: () => {
        throw failure
      },
    }).meter(db)
    await expect(all(throwing.db).execute()).rejects.toBe(failure)
    await expect(all(throwing.db).execute()).rejects.toBe(failure)
  }))

it("should work together with a recorder and a user's onQuery, whichever throws", () => {
  const recorder = new QueryRecorder()
  const budget = new QueryBudget({ rowsRead: 5 })
  const events: string[] = []
  const failure = new Error('from onQuery')
  const onQuery = (event: DurableObjectSqliteQueryEvent): void => {
    budget.onQuery(event)
    recorder.onQuery(event)
    events.push(event.query.sql)
    if (event.query.sql.includes('limit')) {
      throw failure
    }
  }
  return withPeople(
    async ({ db, sql }) => {
      const meter = budget.meter(db)
      await expect(all(meter.db).limit(1).execute()).rejects.toBe(failure)
      expect(meter.rowsRead).toBe(1)
      await expect(all(meter.db).execute()).rejects.toEqual(error('ERR_BUDGET_EXCEEDED'))
      await all(db).execute()
      expect(events).toEqual([
        'select * from `person` limit ?',
        'select * from `person`',
        'select * from `person`',
      ])
      expect(recorder.scans(sql)).toMatchObject([{ sql: 'select * from `person`' }])
      // Of all queries, those of no meter included.
      expect([budget.rowsRead, budget.rowsWritten, budget.report()]).toEqual([
        21,
        0,
        [
          { sql: 'select * from `person`', runs: 2, rowsRead: 20, rowsWritten: 0 },
          { sql: 'select * from `person` limit ?', runs: 1, rowsRead: 1, rowsWritten: 0 },
        ],
      ])
    },
    { onQuery },
  )
})

it('should report the costliest first, where a row written is as dear as 1,000 read', () =>
  withPeople(async ({ db }) => {
    const meter = new QueryBudget().meter(db)
    for (let i = 0; i < 201; i++) {
      await all(meter.db).execute()
    }
    await add(meter.db).execute()
    await all(meter.db).where('id', '=', 1).execute()
    expect(
      meter.report().map(({ sql, rowsRead, rowsWritten }) => [sql, rowsRead, rowsWritten]),
    ).toEqual([
      ['select * from `person`', 2010, 0],
      ['insert into `person` (`name`) values (?)', 1, 2],
      ['select * from `person` where `id` = ?', 1, 0],
    ])
  }))

it('should count 100,000 statements in a fixed amount of memory', () =>
  withPeople(({ db, storage }) => {
    const meter = new QueryBudget().meter(db)
    const sync = new SyncExecutor(meter.db, storage)
    for (let i = 0; i < 100_000; i++) {
      // Every tenth is one that was not there before.
      sync.execute(
        CompiledQuery.raw(
          i % 10 === 0 ? `select ${i} from person limit 1` : 'select * from person where id = 1',
        ),
      )
    }
    expect(meter.rowsRead).toBe(100_000)
    const report = meter.report()
    expect(report.length).toBeLessThanOrEqual(1001)
    expect(report.slice(0, 2).map(({ sql }) => sql)).toEqual([
      'select * from person where id = 1',
      '(other statements)',
    ])
    const sum = (key: 'runs' | 'rowsRead'): number =>
      report.reduce((total, cost) => total + cost[key], 0)
    expect([sum('runs'), sum('rowsRead')]).toEqual([100_000, 100_000])
  }))

it('should keep no more than a megabyte of texts', () =>
  withPeople(({ db, storage }) => {
    const meter = new QueryBudget().meter(db)
    const sync = new SyncExecutor(meter.db, storage)
    for (let i = 0; i < 50; i++) {
      sync.execute(CompiledQuery.raw(`select ${i} /* ${'x'.repeat(90_000)} */`))
    }
    const report = meter.report()
    expect(report.reduce((total, { sql }) => total + sql.length, 0)).toBeLessThan(1_100_000)
    expect(report.reduce((total, { runs }) => total + runs, 0)).toBe(50)
  }))

it('should refuse what is no budget, and a Kysely of another dialect', () => {
  for (const wrong of [-1, Number.NaN, '10' as never]) {
    expect(() => new QueryBudget({ rowsRead: wrong })).toThrow(error('ERR_INVALID_BUDGET'))
    expect(() => new QueryBudget({ rowsWritten: wrong })).toThrow(error('ERR_INVALID_BUDGET'))
  }
  const other = new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  expect(() => new QueryBudget().meter(other)).toThrow(error('ERR_INVALID_DATABASE'))
})
