import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { CompiledQuery, type DatabaseConnection, sql as kyselySql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, isRemote, newObject, type Scope } from '../harness.js'
import { type PersonDatabase, withPerson } from '../person.js'

/** Read past the dialect. */
async function names({ exec }: Pick<Scope<PersonDatabase>, 'exec'>): Promise<unknown[]> {
  return (await exec('select name from person order by id')).map(({ name }) => name)
}

const failure = new Error('in the transaction')

describe('db.transaction()', () => {
  it('should commit every write of the body and return what it returns', () =>
    withPerson(async (scope) => {
      const result = await scope.db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await trx.insertInto('person').values({ name: 'Grace' }).execute()
        return trx.selectFrom('person').select('name').execute()
      })
      expect(result).toEqual([{ name: 'Ada' }, { name: 'Grace' }])
      expect(await names(scope)).toEqual(['Ada', 'Grace'])
    }))

  it('should undo every write when the body throws, and throw the same error', () =>
    withPerson(async (scope) => {
      const { db } = scope
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Grace' }).execute()
        await trx.deleteFrom('person').where('name', '=', 'Ada').execute()
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(await names(scope)).toEqual(['Ada'])
    }))

  it('should undo every write when a constraint fails', () =>
    withPerson(async (scope) => {
      const transaction = scope.db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
      })
      await expect(transaction).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
      expect(await names(scope)).toEqual([])
    }))

  it('should commit the rest when the body catches the error of a constraint', () =>
    withPerson(async (scope) => {
      await scope.db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await expect(
          trx.insertInto('person').values({ name: 'Ada' }).execute(),
        ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
        await trx.insertInto('person').values({ name: 'Grace' }).execute()
      })
      expect(await names(scope)).toEqual(['Ada', 'Grace'])
    }))

  // Not remote: KV and alarms are written inside the object, which holds back calls while a transaction is open.
  it.skipIf(isRemote)('should undo KV and alarms with the SQL', () =>
    withPerson(async (scope) => {
      const { db, storage } = scope
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(await names(scope)).toEqual([])
      expect(await storage.get('key')).toBeUndefined()
      expect(await storage.getAlarm()).toBeNull()
    }),
  )

  it('should undo schema statements', () =>
    withPerson(async ({ db, exec }) => {
      const transaction = db.transaction().execute(async (trx) => {
        await trx.schema.createTable('pet').addColumn('name', 'text').execute()
        await trx.schema.dropTable('person').execute()
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(await exec("select name from sqlite_master where name in ('person', 'pet')")).toEqual([
        { name: 'person' },
      ])
    }))

  it('should let the body await a timer, a fetch and a call to another object', () =>
    withPerson(async (scope) => {
      const other = newObject()
      await scope.db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await scheduler.wait(5)
        await trx.insertInto('person').values({ name: 'Grace' }).execute()
        const response = await other.fetch('http://object/')
        expect(await response.text()).toBe('hello')
        await trx.insertInto('person').values({ name: 'Eve' }).execute()
        expect(await other.greet('Ada')).toBe('hello Ada')
        await trx.insertInto('person').values({ name: 'Bob' }).execute()
      })
      expect(await names(scope)).toEqual(['Ada', 'Grace', 'Eve', 'Bob'])
    }))

  it('should run queries that were sent together in order', () =>
    withPerson(async (scope) => {
      await scope.db
        .transaction()
        .execute((trx) =>
          Promise.all(
            ['Ada', 'Grace', 'Eve'].map((name) =>
              trx.insertInto('person').values({ name }).execute(),
            ),
          ),
        )
      expect(await names(scope)).toEqual(['Ada', 'Grace', 'Eve'])
    }))

  // Not remote: blockConcurrencyWhile() holds back calls to the object.
  it.skipIf(isRemote)('should work inside blockConcurrencyWhile(), as in a constructor', () =>
    withPerson(async (scope) => {
      await scope.ctx.blockConcurrencyWhile(async () => {
        await scope.db.transaction().execute(async (trx) => {
          await trx.insertInto('person').values({ name: 'Ada' }).execute()
        })
        const rolledBack = scope.db.transaction().execute(async (trx) => {
          await trx.insertInto('person').values({ name: 'Grace' }).execute()
          throw failure
        })
        await expect(rolledBack).rejects.toBe(failure)
      })
      expect(await names(scope)).toEqual(['Ada'])
    }),
  )

  it.each([
    'read uncommitted',
    'read committed',
    'repeatable read',
    'serializable',
    'snapshot',
  ] as const)('should accept the isolation level %s', (level) =>
    withPerson(async (scope) => {
      await scope.db
        .transaction()
        .setIsolationLevel(level)
        .setAccessMode('read write')
        .execute((trx) => trx.insertInto('person').values({ name: 'Ada' }).execute())
      expect(await names(scope)).toEqual(['Ada'])
    }),
  )

  it('should reject queries on trx after the commit', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.transaction().execute(async (trx) => trx)
      await expect(trx.insertInto('person').values({ name: 'Ada' }).execute()).rejects.toThrow(
        'Transaction is already committed',
      )
      expect(await names(scope)).toEqual([])
    }))

  it('should reject a query on trx that was not awaited, instead of running it outside', () =>
    withPerson(async (scope) => {
      const forgotten: Promise<unknown>[] = []
      await scope.db.transaction().execute(async (trx) => {
        for (let i = 0; i < 50; i++) {
          const query = trx.insertInto('person').values({ name: `${i}` })
          forgotten.push(query.execute().catch((error: unknown) => error))
        }
      })
      const outcomes = await Promise.all(forgotten)
      const errors = outcomes.filter((outcome) => outcome instanceof Error)
      expect(errors.length).toBeGreaterThan(0)
      expect(errors[0]).toMatchObject({ code: 'ERR_TRANSACTION_ENDED' })
      expect(await names(scope)).toHaveLength(50 - errors.length)
      await expect(
        scope.db.transaction().execute(async () => {
          throw failure
        }),
      ).rejects.toBe(failure)
      expect(await names(scope)).toHaveLength(50 - errors.length)
    }))

  it('should have no late query of another transaction in it', () =>
    withPerson(async (scope) => {
      const { db } = scope
      const connections: DatabaseConnection[] = []
      await db.transaction().execute((trx) =>
        trx.getExecutor().provideConnection(async (connection) => {
          connections.push(connection)
        }),
      )
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        const late = CompiledQuery.raw("insert into person (name) values ('late')")
        await expect(connections[0]?.executeQuery(late)).rejects.toMatchObject({
          code: 'ERR_TRANSACTION_ENDED',
        })
      })
      expect(await names(scope)).toEqual(['Ada'])
    }))

  // Not remote: test/remote/faults.test.ts resets objects.
  it.skipIf(isRemote)(
    'should leave nothing behind when the object is reset in the middle',
    async () => {
      const stub = newObject()
      const reset = withPerson(
        async ({ db, ctx }) => {
          await db.insertInto('person').values({ name: 'Ada' }).execute()
          await db.transaction().execute(async (trx) => {
            await trx.insertInto('person').values({ name: 'Grace' }).execute()
            ctx.abort('reset by the test')
          })
        },
        { stub },
      )
      await expect(reset).rejects.toThrow('reset by the test')
      await withPerson(
        async (scope) => {
          expect(await names(scope)).toEqual(['Ada'])
          await scope.db
            .transaction()
            .execute((trx) => trx.insertInto('person').values({ name: 'Eve' }).execute())
          expect(await names(scope)).toEqual(['Ada', 'Eve'])
        },
        { stub: env.OBJECT.get(stub.id) },
      )
    },
  )

  it('should be kept when the object is evicted after it', async () => {
    const stub = newObject()
    for (const name of ['Ada', 'Grace']) {
      await withPerson(
        ({ db }) =>
          db.transaction().execute((trx) => trx.insertInto('person').values({ name }).execute()),
        { stub },
      )
      await evictDurableObject(stub)
    }
    await withPerson(async (scope) => expect(await names(scope)).toEqual(['Ada', 'Grace']), {
      stub,
    })
  })
})

describe('db.startTransaction()', () => {
  it('should commit', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.startTransaction().execute()
      await trx.insertInto('person').values({ name: 'Ada' }).execute()
      await trx.commit().execute()
      expect(trx.isCommitted).toBe(true)
      expect(await names(scope)).toEqual(['Ada'])
    }))

  it('should roll back', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.startTransaction().execute()
      await trx.insertInto('person').values({ name: 'Ada' }).execute()
      await trx.rollback().execute()
      expect(trx.isRolledBack).toBe(true)
      expect(await names(scope)).toEqual([])
      await scope.db.insertInto('person').values({ name: 'Grace' }).execute()
      expect(await names(scope)).toEqual(['Grace'])
    }))
})

describe('db.connection()', () => {
  it('should have transactions one after the other, with queries in between', () =>
    withPerson(async (scope) => {
      await scope.db.connection().execute(async (connection) => {
        const add = (db: typeof connection, name: string): Promise<unknown> =>
          db.insertInto('person').values({ name }).execute()
        await connection.transaction().execute((trx) => add(trx, 'Ada'))
        await add(connection, 'Grace')
        const failed = connection.transaction().execute(async (trx) => {
          await add(trx, 'Eve')
          throw failure
        })
        await expect(failed).rejects.toBe(failure)
        await add(connection, 'Bob')
      })
      expect(await names(scope)).toEqual(['Ada', 'Grace', 'Bob'])
    }))

  it('should not keep other queries from running in between', () =>
    withPerson(async ({ db }) => {
      await db.connection().execute(async (connection) => {
        await connection.insertInto('person').values({ name: 'Ada' }).execute()
        await db.insertInto('person').values({ id: 100, name: 'Grace' }).execute()
        const { rows } = await kyselySql<{ id: number }>`select last_insert_rowid() as id`.execute(
          connection,
        )
        expect(rows).toEqual([{ id: 100 }])
      })
    }))
})

describe('a read only transaction', () => {
  it('should read', () =>
    withPerson(async ({ db }) => {
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const rows = await db
        .transaction()
        .setAccessMode('read only')
        .execute((trx) => trx.selectFrom('person').select('name').execute())
      expect(rows).toEqual([{ name: 'Ada' }])
    }))

  it.each([
    'insert into person (name) values (1)',
    'update person set name = 1 returning id',
    'delete from person',
    'create table pet (name text)',
    'drop table person',
  ])('should refuse to %s and roll back, even if the body catches the error', (text) =>
    withPerson(async (scope) => {
      const { db, exec } = scope
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const code = 'ERR_READ_ONLY_TRANSACTION'
      const transaction = db
        .transaction()
        .setAccessMode('read only')
        .execute(async (trx) => {
          await expect(trx.executeQuery(CompiledQuery.raw(text))).rejects.toMatchObject({ code })
          await expect(trx.selectFrom('person').selectAll().execute()).rejects.toMatchObject({
            code,
          })
        })
      await expect(transaction).rejects.toMatchObject({ code })
      expect(await names(scope)).toEqual(['Ada'])
      expect(await exec("select name from sqlite_master where name = 'pet'")).toEqual([])
      await db.insertInto('person').values({ name: 'Grace' }).execute()
      expect(await names(scope)).toEqual(['Ada', 'Grace'])
    }),
  )

  // Not remote: KV is written inside the object.
  it.skipIf(isRemote)('should undo KV when a write was refused', () =>
    withPerson(async ({ db, storage }) => {
      const transaction = db
        .transaction()
        .setAccessMode('read only')
        .execute(async (trx) => {
          await storage.put('key', 'value')
          await trx.deleteFrom('person').where('id', '=', 1).execute()
        })
      await expect(transaction).rejects.toMatchObject({ code: 'ERR_READ_ONLY_TRANSACTION' })
      expect(await storage.get('key')).toBeUndefined()
    }),
  )

  it('should refuse a write that is streamed', () =>
    withPerson(async (scope) => {
      const { db } = scope
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      const transaction = db
        .transaction()
        .setAccessMode('read only')
        .execute(async (trx) => {
          for await (const _ of trx.deleteFrom('person').returningAll().stream(1)) {
            break
          }
        })
      await expect(transaction).rejects.toMatchObject({ code: 'ERR_READ_ONLY_TRANSACTION' })
      expect(await names(scope)).toEqual(['Ada'])
    }))
})

describe('on a dialect made from ctx.storage.sql', () => {
  // Not remote: a RemoteDatabase is made from ctx.storage.
  it.skipIf(isRemote)('should be refused, and leave the Kysely instance usable', () =>
    inDurableObject<PersonDatabase>(
      async ({ db }) => {
        await db.schema.createTable('person').addColumn('name', 'text').execute()
        for (const begin of [
          () => db.transaction().execute(async () => {}),
          () => db.startTransaction().execute(),
        ]) {
          await expect(begin()).rejects.toMatchObject({
            code: 'ERR_TRANSACTION_UNSUPPORTED',
            message:
              'Transactions need the storage of the Durable Object: write new DurableObjectSqliteDialect(ctx.storage) instead of new DurableObjectSqliteDialect(ctx.storage.sql).',
          })
          await db.insertInto('person').values({ name: 'Ada' }).execute()
        }
        expect(await db.selectFrom('person').selectAll().execute()).toHaveLength(2)
      },
      { from: (storage) => storage.sql },
    ),
  )
})

describe('a transaction statement sent as SQL', () => {
  it.each([
    'begin',
    'BEGIN IMMEDIATE',
    '/* c */ commit',
    'rollback',
    'end',
    'savepoint a',
    'release a',
    'rollback to a',
  ])('should be refused: %s', (text) =>
    withPerson(async ({ db }) => {
      await expect(db.executeQuery(CompiledQuery.raw(text))).rejects.toMatchObject({
        code: 'ERR_TRANSACTION_STATEMENT',
        message: expect.stringContaining('Use db.transaction(), db.startTransaction()'),
      })
    }),
  )
})
