import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { CompiledQuery, Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  DurableObjectSqliteDialect,
  DurableObjectSqliteError,
  type QueryParameters,
  SyncExecutor,
} from '../../src/index.js'
import { migrateToLatest } from '../../src/migration/index.js'
import { inDurableObject, insideObject, isRemote, type Scope } from '../harness.js'

const schema = `
  create table parent (id integer primary key, code text not null unique, n integer check (n < 10));
  create table child (id text primary key, parent_id integer references parent) without rowid;
  create table strict_table (n int) strict;
  create trigger no_seven before insert on parent when new.n = 7
    begin select raise(abort, 'no sevens'); end;
  insert into parent values (1, 'a', 1);
  insert into child values ('x', 1);
`

function failing(text: string, parameters: unknown[] = []): Promise<unknown> {
  return inDurableObject(async ({ db, exec }) => {
    await exec(schema)
    const error: unknown = await db
      .executeQuery(CompiledQuery.raw(text, parameters))
      .catch((caught: unknown) => caught)
    if (!(error instanceof DurableObjectSqliteError)) {
      throw new TypeError(`This is not an error of ours: ${String(error)}`)
    }
    const { name, code, message, cause } = error
    expect(error.sql).toBe(text)
    return { name, code, message, cause: cause instanceof Error ? cause.message : cause }
  })
}

describe('DurableObjectSqliteError', () => {
  it.each([
    [
      'a unique constraint',
      "insert into parent values (2, 'a', 1)",
      'SQLITE_CONSTRAINT_UNIQUE',
      'UNIQUE constraint failed: parent.code: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)',
    ],
    [
      'a rowid',
      "insert into parent values (1, 'b', 1)",
      'SQLITE_CONSTRAINT_PRIMARYKEY',
      'UNIQUE constraint failed: parent.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)',
    ],
    [
      'a primary key',
      "insert into child values ('x', 1)",
      'SQLITE_CONSTRAINT_PRIMARYKEY',
      'UNIQUE constraint failed: child.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)',
    ],
    [
      'a not null constraint',
      'insert into parent values (2, null, 1)',
      'SQLITE_CONSTRAINT_NOTNULL',
      'NOT NULL constraint failed: parent.code: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)',
    ],
    [
      'a check constraint',
      "insert into parent values (2, 'b', 10)",
      'SQLITE_CONSTRAINT_CHECK',
      'CHECK constraint failed: n < 10: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)',
    ],
    [
      'a foreign key',
      "insert into child values ('y', 2)",
      'SQLITE_CONSTRAINT_FOREIGNKEY',
      'FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)',
    ],
    [
      'a type in a strict table',
      "insert into strict_table values ('a')",
      'SQLITE_CONSTRAINT_DATATYPE',
      'cannot store TEXT value in INT column strict_table.n: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_DATATYPE)',
    ],
    [
      'a trigger',
      "insert into parent values (2, 'b', 7)",
      'SQLITE_CONSTRAINT_TRIGGER',
      'no sevens: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)',
    ],
    [
      'a syntax error',
      'selec 1',
      'SQLITE_ERROR',
      'near "selec": syntax error at offset 0: SQLITE_ERROR',
    ],
    ['a missing table', 'select * from nope', 'SQLITE_ERROR', 'no such table: nope: SQLITE_ERROR'],
    [
      'a missing column',
      'select nope from parent',
      'SQLITE_ERROR',
      'no such column: nope at offset 7: SQLITE_ERROR',
    ],
    [
      'something that is not allowed',
      'create table _cf_x (a)',
      'SQLITE_AUTH',
      'not authorized: SQLITE_AUTH',
    ],
  ])('should have the code of %s and the message unchanged', async (_, text, code, message) => {
    expect(await failing(text)).toEqual({
      name: 'DurableObjectSqliteError',
      code,
      message,
      cause: message,
    })
  })

  it.each([
    ['select ?', [], 'ERR_PARAMETER_COUNT', 'Wrong number of parameter bindings for SQL query.'],
    ['select 1', [1], 'ERR_PARAMETER_COUNT', 'Wrong number of parameter bindings for SQL query.'],
    ['-- nothing', [], 'ERR_NO_STATEMENT', 'SQL code did not contain a statement.'],
  ])('should have a code of its own for %s', async (text, parameters, code, message) => {
    expect(await failing(text, parameters)).toEqual({
      name: 'DurableObjectSqliteError',
      code,
      message,
      cause: message,
    })
  })

  it('should say that the class is not SQLite-backed', () =>
    runInDurableObject(env.KV_OBJECT.get(env.KV_OBJECT.newUniqueId()), async (_, { storage }) => {
      const db = new Kysely<{ a: { b: number } }>({
        dialect: new DurableObjectSqliteDialect(storage),
      })
      await expect(db.selectFrom('a').selectAll().execute()).rejects.toMatchObject({
        name: 'DurableObjectSqliteError',
        code: 'ERR_SQL_NOT_ENABLED',
        message: expect.stringContaining('SQL is not enabled for this Durable Object class.'),
      })
    }))

  describe('sql', () => {
    interface Database {
      person: { name: string | null; born: number }
    }

    const INSERT = 'insert into `person` (`name`) values (?)'

    type Path = [string, (scope: Scope<Database>, name: string | null) => unknown]

    /** Every way to run a statement, with one that SQLite refuses and one whose value is refused. */
    const queryPaths: Path[] = [
      ['execute', ({ db }, name) => db.insertInto('person').values(row(name)).execute()],
      [
        'execute in a transaction',
        ({ db }, name) =>
          db.transaction().execute((trx) => trx.insertInto('person').values(row(name)).execute()),
      ],
      [
        'stream',
        async ({ db }, name) => {
          for await (const _ of db.insertInto('person').values(row(name)).stream()) {
            // Not reached.
          }
        },
      ],
    ]

    const syncPaths: Path[] = [
      [
        'SyncExecutor.execute',
        async ({ db, storage }, name) =>
          new SyncExecutor(db, storage).execute(db.insertInto('person').values(row(name))),
      ],
      [
        'SyncExecutor.run',
        async ({ db, storage }, name) =>
          new SyncExecutor(db, storage).run(db.insertInto('person').values(row(name))),
      ],
      [
        'a prepared query',
        async ({ db, storage }, name) =>
          new SyncExecutor(db, storage)
            .prepare((param: QueryParameters<{ name: string | null }>) =>
              db.insertInto('person').values({ name: param('name') } as never),
            )
            .execute({ name }),
      ],
    ]

    const migrationPaths: Path[] = [
      [
        'a migration of SQL text',
        ({ storage }) =>
          migrateToLatest(storage, { '1': 'insert into `person` (`name`) values (null)' }),
      ],
      [
        "a migration's sql.exec()",
        ({ storage }, name) =>
          migrateToLatest(storage, {
            '1': { up: async (_, sql) => void sql.exec(INSERT, name) },
          }),
      ],
    ]

    // Outside of the object nothing is synchronous, and its migrations are its own.
    const paths = isRemote ? queryPaths : [...queryPaths, ...syncPaths, ...migrationPaths]

    const row = (name: string | null) => ({ name }) as { name: string; born: number }

    it.each(paths)('should be the statement that failed through %s', (_, run) =>
      inDurableObject<Database>(async (scope) => {
        await scope.exec('create table person (name text not null, born integer)')
        const error: unknown = await Promise.resolve(run(scope, null)).catch((it: unknown) => it)
        expect(error).toBeInstanceOf(DurableObjectSqliteError)
        expect((error as DurableObjectSqliteError).sql).toMatch(
          /^insert into `person` \(`name`\) values \((?:\?|null)\)$/,
        )
      }),
    )

    it.each(isRemote ? queryPaths : [...queryPaths, ...syncPaths])(
      'should be the statement whose value is refused through %s, which no message tells',
      (_, run) =>
        inDurableObject<Database>(async (scope) => {
          await scope.exec('create table person (name text not null, born integer)')
          const error: unknown = await Promise.resolve(run(scope, 'secret\ud800')).catch(
            (it: unknown) => it,
          )
          expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_PARAMETER', sql: INSERT })
          expect(String(error)).not.toContain('secret')
        }),
    )

    it('should be undefined where no statement was at fault', () =>
      insideObject(async ({ storage }) => {
        const error: unknown = await migrateToLatest(storage, { '1': '' }).catch(
          (it: unknown) => it,
        )
        expect(error).toMatchObject({ code: 'ERR_INVALID_MIGRATION', sql: undefined })
      }))
  })

  it("should keep the caller's stack", () =>
    inDurableObject<{ a: { b: number } }>(async ({ db }) => {
      async function theCaller(): Promise<void> {
        await db.selectFrom('a').selectAll().execute()
      }
      await expect(theCaller()).rejects.toMatchObject({
        stack: expect.stringMatching(/theCaller.*errors\.test\.ts/),
      })
      const inTransaction = db.transaction().execute(async (trx) => {
        async function theBody(): Promise<void> {
          await trx.selectFrom('a').selectAll().execute()
        }
        await theBody()
      })
      await expect(inTransaction).rejects.toMatchObject({
        stack: expect.stringMatching(/theBody.*errors\.test\.ts/),
      })
    }))
})
