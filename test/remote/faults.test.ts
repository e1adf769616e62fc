import { evictDurableObject } from 'cloudflare:test'
import { env, RpcStub } from 'cloudflare:workers'
import { CompiledQuery, type Kysely } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { batch } from '../../src/remote/index.js'
import type { RemoteDatabaseStub, Step } from '../../src/remote/protocol.js'
import { insideObject, newObject, type Options, outside, type Scope } from '../harness.js'
import type { PersonDatabase } from '../person.js'
import { countSessions, offerDatabase } from '../remote-databases.js'

interface Reset {
  /** Resets the object once it has run the next statement that contains the text. */
  after(text: string): void
  /** Resets the object whenever it has run one. */
  always(text: string): void
  never(): void
  /** Resets the object now. */
  now(): Promise<void>
  /** The statements that the object has run. */
  readonly statements: string[]
}

/** Runs the body with a remote `db` that has the table, and checks what it leaves behind. */
async function withFaults(
  body: (scope: Scope<PersonDatabase>, reset: Reset) => Promise<void>,
  options: Options = {},
): Promise<void> {
  const statements: string[] = []
  let wanted: string | undefined
  let isAlways = false
  const onStatement = (sql: string, ctx: DurableObjectState): void => {
    statements.push(sql)
    if (wanted !== undefined && sql.includes(wanted)) {
      wanted = isAlways ? wanted : undefined
      ctx.abort('reset by the test')
    }
  }
  await outside<PersonDatabase>(
    async (scope) => {
      const { db, exec, inside } = scope
      await exec('create table person (id integer primary key, name text unique)')
      await body(scope, {
        statements,
        after(text) {
          wanted = text
        },
        always(text) {
          wanted = text
          isAlways = true
        },
        never() {
          wanted = undefined
        },
        async now() {
          await inside(({ ctx }) => ctx.abort('reset by the test')).catch(() => {})
        },
      })
      // The object serves the next request, and no cursor is open: a table can be dropped.
      await exec('create table other (a)')
      await exec('drop table other')
      await db.transaction().execute((trx) => add(trx, 'last').execute())
      await db.destroy()
      await vi.waitUntil(async () => (await inside(({ storage }) => countSessions(storage))) === 0)
    },
    { ...options, remote: { ...options.remote, onStatement } },
  )
}

const add = (db: Kysely<PersonDatabase>, name: string) => db.insertInto('person').values({ name })

const all = (db: Kysely<PersonDatabase>) => db.selectFrom('person').selectAll()

async function names({ exec }: Scope<PersonDatabase>): Promise<unknown[]> {
  return (await exec('select name from person order by id')).map(({ name }) => name)
}

const lost = (message: string) => ({
  name: 'DurableObjectSqliteError',
  code: 'ERR_CONNECTION_LOST',
  message: expect.stringContaining(message),
})

describe('an object that is reset', () => {
  it('should be opened anew for a read, which is sent again', () =>
    withFaults(async (scope, reset) => {
      await add(scope.db, 'Ada').execute()
      await reset.now()
      expect(await all(scope.db).execute()).toEqual([{ id: 1, name: 'Ada' }])
      reset.after('select * from `person`')
      expect(await all(scope.db).execute()).toEqual([{ id: 1, name: 'Ada' }])
      expect(reset.statements.filter((sql) => sql === 'select * from `person`')).toHaveLength(3)
    }))

  it('should be an error for a read where it is reset again', () =>
    withFaults(async ({ db }, reset) => {
      reset.always('select')
      await expect(all(db).execute()).rejects.toMatchObject({
        ...lost('The query only reads.'),
        sql: 'select * from `person`',
      })
      expect(reset.statements).toHaveLength(2)
      reset.never()
    }))

  it('should be an error for a write, which is not sent again', () =>
    withFaults(async (scope, reset) => {
      reset.after('insert')
      await expect(add(scope.db, 'Ada').execute()).rejects.toMatchObject({
        ...lost('The statement may have run, and is not sent again.'),
        sql: 'insert into `person` (`name`) values (?)',
      })
      expect(reset.statements).toEqual(['insert into `person` (`name`) values (?)'])
      // It was reset before it had answered, and with it what it had written.
      expect(await names(scope)).toEqual([])
      await add(scope.db, 'Ada').execute()
      expect(await names(scope)).toEqual(['Ada'])
    }))

  it('should be an error for a batch, of which nothing is kept', () =>
    withFaults(async (scope, reset) => {
      reset.after('update')
      const { db } = scope
      const sent = batch(db, [
        add(db, 'Ada'),
        db.updateTable('person').set({ name: 'Eve' }),
        add(db, 'Bob'),
      ])
      await expect(sent).rejects.toMatchObject(lost('The statement may have run'))
      expect(await names(scope)).toEqual([])
    }))

  /** Inserts three rows in a transaction, of which the object is reset after one. */
  async function resetAfter(name: string, { db }: Scope<PersonDatabase>, reset: Reset) {
    let attempts = 0
    await db.transaction().execute(async (trx) => {
      for (const each of ['first', 'second', 'third']) {
        if (each === name && ++attempts === 1) {
          reset.after('insert')
        }
        await add(trx, each).execute()
      }
    })
  }

  it('should be opened anew for the first statement of a transaction, which is undone', () =>
    withFaults(async (scope, reset) => {
      await resetAfter('first', scope, reset)
      expect(await names(scope)).toEqual(['first', 'second', 'third'])
      expect(reset.statements).toHaveLength(4)
    }))

  it.each(['second', 'third'])(
    'should be an error for a transaction, of which nothing is kept, at its %s statement',
    (name) =>
      withFaults(async (scope, reset) => {
        await expect(resetAfter(name, scope, reset)).rejects.toMatchObject(
          lost('The transaction is rolled back.'),
        )
        expect(await names(scope)).toEqual([])
      }),
  )

  it('should be an error for a stream, and never an early end', () =>
    withFaults(async ({ db }, reset) => {
      await batch(
        db,
        Array.from({ length: 10 }, (_, i) => add(db, `${i}`)),
      )
      const rows: unknown[] = []
      const loop = async (): Promise<void> => {
        for await (const row of all(db).stream(1)) {
          rows.push(row)
          if (rows.length === 2) {
            await reset.now()
          }
        }
      }
      await expect(loop()).rejects.toMatchObject(lost('The query only reads.'))
      expect(rows.length).toBeLessThan(10)
    }))

  it('should be an error for a commit that fails, of which nothing is kept', () =>
    withFaults(async (scope) => {
      const { db, exec } = scope
      await exec(`
        create table pet (owner_id integer references person deferrable initially deferred)`)
      const transaction = db.transaction().execute(async (trx) => {
        await add(trx, 'Ada').execute()
        await trx.executeQuery(CompiledQuery.raw('insert into pet values (9)'))
      })
      const error: unknown = await transaction.catch((it: unknown) => it)
      expect(error).toBeInstanceOf(Error)
      expect((error as { code: string }).code).toMatch(/^(?:ERR_|SQLITE_)/)
      expect(await names(scope)).toEqual([])
      expect(await exec('select * from pet')).toEqual([])
    }))

  it('should be an error that tells why it cannot be opened, and that nothing ran', () =>
    outside(
      async ({ db }) => {
        await expect(
          db.executeQuery(CompiledQuery.raw('create table a (b)')),
        ).rejects.toMatchObject({ message: expect.stringContaining('does not implement') })
      },
      { open: () => (newObject() as unknown as Record<string, () => never>)['nothing']!() },
    ))
})

describe('an object that is evicted', () => {
  it('should go on with the next query', async () => {
    const stub = newObject()
    await withFaults(
      async (scope) => {
        await add(scope.db, 'Ada').execute()
        await scope.db.destroy()
      },
      { stub },
    ).catch(() => {})
    await evictDurableObject(stub)
    await outside<PersonDatabase>(
      async ({ db }) => {
        expect(await all(db).execute()).toEqual([{ id: 1, name: 'Ada' }])
      },
      { stub },
    )
  })
})

describe('a Worker', () => {
  const failure = new Error('in the body')

  it.each([0, 1, 2])('should undo its transaction when it throws after %d statements', (count) =>
    withFaults(async (scope) => {
      const transaction = scope.db.transaction().execute(async (trx) => {
        for (let i = 0; i < count; i++) {
          await add(trx, `${i}`).execute()
        }
        throw failure
      })
      await expect(transaction).rejects.toBe(failure)
      expect(await names(scope)).toEqual([])
    }),
  )

  it.each(['statement', 'savepoint', 'stream', 'batch'])(
    'should have its transaction rolled back when it falls silent after a %s',
    (what) =>
      withFaults(
        async (scope) => {
          const { db } = scope
          const trx = await db.startTransaction().execute()
          let stream: AsyncIterableIterator<unknown> | undefined
          await add(trx, 'Ada').execute()
          if (what === 'savepoint') {
            await trx.savepoint('a').execute()
          } else if (what === 'stream') {
            stream = all(trx).stream(1)
            await stream.next()
          } else if (what === 'batch') {
            await batch(trx, [add(trx, 'Eve')])
          }
          // The object is free again when it has given up.
          expect(await names(scope)).toEqual([])
          const code = 'ERR_TRANSACTION_TIMEOUT'
          await stream?.return?.()
          await expect(add(trx, 'Bob').execute()).rejects.toMatchObject({
            code,
            message: expect.stringContaining('waited for 50 ms for its next statement'),
          })
          await expect(trx.commit().execute()).rejects.toMatchObject({ code })
          await trx.rollback().execute()
          expect(await names(scope)).toEqual([])
        },
        { remote: { transactionTimeout: 50 } },
      ),
  )

  it('should have its transaction rolled back when it lets go of its function', () =>
    withFaults(async (scope) => {
      const outcome = await rawTransaction(scope, async () => {
        throw failure
      })
      expect(outcome).toMatchObject({ error: { message: failure.message } })

      const disposed = new RpcStub<Step>(async () => new Promise(() => {}))
      const pending = rawTransaction(scope, disposed)
      disposed[Symbol.dispose]()
      expect(await pending).toMatchObject({ error: { code: 'ERR_TRANSACTION_TIMEOUT' } })
      expect(await names(scope)).toEqual([])
    }))
})

/** A transaction with one statement, by the messages themselves. */
async function rawTransaction({ stub }: Scope<PersonDatabase>, step: Step): Promise<unknown> {
  const key = offerDatabase(undefined, { transactionTimeout: 50 })
  const database = env.OBJECT.get(stub.id).database(key) as unknown as RemoteDatabaseStub
  const query = {
    sql: "insert into person (name) values ('raw')",
    parameters: [],
    outline: 'RawNode',
  } as const
  const outcome = await database.transaction({}, { type: 'query', query }, step)
  database[Symbol.dispose]?.()
  return outcome
}

describe('two hundred transactions from as many Workers', () => {
  it('should each see the one before it', async () => {
    const stub = newObject()
    await insideObject(
      ({ exec }) => exec('create table counter (n); insert into counter values (0)'),
      {
        stub,
      },
    )
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        outside<{ counter: { n: number } }>(
          async ({ db }) => {
            const failing = i % 10 === 9
            const transaction = db.transaction().execute(async (trx) => {
              const { n } = await trx.selectFrom('counter').select('n').executeTakeFirstOrThrow()
              await trx
                .updateTable('counter')
                .set({ n: n + 1 })
                .execute()
              if (failing) {
                throw new Error('undone')
              }
            })
            const [{ status }] = await Promise.allSettled([transaction])
            expect(status).toBe(failing ? 'rejected' : 'fulfilled')
          },
          { stub, remote: { transactionTimeout: 20_000 } },
        ),
      ),
    )
    await insideObject(
      async ({ exec }) => expect(await exec('select n from counter')).toEqual([{ n: 180 }]),
      { stub },
    )
    await vi.waitUntil(() => insideObject(({ storage }) => countSessions(storage) === 0, { stub }))
  })
})

describe('a result', () => {
  it.each([1, 1_000, 1_000_000, 30_000_000])('should arrive whole with %d bytes', (bytes) =>
    withFaults(async ({ db }) => {
      const rows = Math.ceil(bytes / 1_000_000)
      const { rows: read } = await db.executeQuery<{ b: Uint8Array }>(blobs(rows, bytes / rows))
      expect(read.reduce((sum, { b }) => sum + b.length, 0)).toBe(bytes)
    }),
  )

  it('should be an error with a hint where it is larger than a message', () =>
    withFaults(async ({ db }) => {
      const tooLarge = {
        code: 'ERR_MESSAGE_TOO_LARGE',
        hint: expect.stringContaining('Read it with stream()'),
        message: expect.stringContaining('limited to 32MiB'),
      }
      const query = blobs(40, 1_000_000)
      await expect(db.executeQuery(query)).rejects.toMatchObject(tooLarge)
      await expect(batch(db, [query])).rejects.toMatchObject(tooLarge)
      await db.transaction().execute(async (trx) => {
        await expect(trx.executeQuery(query)).rejects.toMatchObject(tooLarge)
        await add(trx, 'Ada').execute()
      })
      let bytes = 0
      for await (const { rows } of db.getExecutor().stream<{ b: Uint8Array }>(query, 5)) {
        bytes += rows.reduce((sum, { b }) => sum + b.length, 0)
      }
      expect(bytes).toBe(40_000_000)
    }))

  it('should be an error with a hint where the query is larger than a message', () =>
    withFaults(async (scope) => {
      const values = Array.from({ length: 20 }, () => new Uint8Array(1_900_000))
      const query = CompiledQuery.raw(`select ${values.map(() => '?').join(', ')}`, values)
      await expect(scope.db.executeQuery(query)).rejects.toMatchObject({
        code: 'ERR_MESSAGE_TOO_LARGE',
        hint: expect.stringContaining('split its values'),
      })
    }))
})

function blobs(rows: number, bytes: number): CompiledQuery<{ b: Uint8Array }> {
  return CompiledQuery.raw(
    `with recursive i(n) as (select 1 union all select n + 1 from i where n < ${rows})
     select zeroblob(${bytes}) as b from i`,
  )
}
