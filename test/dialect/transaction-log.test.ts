import type { Generated } from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

/** The SQL that Kysely logs while the body runs, errors marked. */
async function logged(body: (scope: Scope<Database>) => Promise<void>): Promise<readonly string[]> {
  const texts: string[] = []
  await inDurableObject<Database>(
    async (scope) => {
      await scope.exec('create table person (id integer primary key, name text unique)')
      await body(scope)
    },
    {
      kysely: {
        log({ level, query }) {
          texts.push(level === 'error' ? `${query.sql} (failed)` : query.sql)
        },
      },
    },
  )
  return texts
}

describe("Kysely's log", () => {
  it('should show begin and commit as queries', async () => {
    const log = await logged(async ({ db }) => {
      await db
        .transaction()
        .setIsolationLevel('serializable')
        .execute((trx) => trx.insertInto('person').values({ name: 'Ada' }).execute())
    })
    expect(log).toEqual(['begin', 'insert into `person` (`name`) values (?)', 'commit'])
  })

  it('should show rollback as a query', async () => {
    const log = await logged(async ({ db }) => {
      const transaction = db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ id: 1, name: 'Ada' }).execute()
        await trx.insertInto('person').values({ id: 1, name: 'Eve' }).execute()
      })
      await expect(transaction).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
    })
    expect(log).toEqual([
      'begin',
      'insert into `person` (`id`, `name`) values (?, ?)',
      'insert into `person` (`id`, `name`) values (?, ?) (failed)',
      'rollback',
    ])
  })

  it('should show savepoints as queries', async () => {
    const log = await logged(async ({ db }) => {
      const trx = await db.startTransaction().execute()
      const within = await trx.savepoint('a').execute()
      await within.rollbackToSavepoint('a').execute()
      await within.releaseSavepoint('a').execute()
      await trx.rollback().execute()
    })
    expect(log).toEqual(['begin', 'savepoint `a`', 'rollback to `a`', 'release `a`', 'rollback'])
  })

  it('should show a stream', async () => {
    const log = await logged(async ({ db }) => {
      for await (const _ of db.selectFrom('person').selectAll().stream()) {
        throw new Error('The table is empty.')
      }
    })
    expect(log).toEqual(['select * from `person`'])
  })

  describe('that throws', () => {
    const failure = new Error('The log is full.')

    /** With a log that throws for the statement. */
    function throwing(
      statement: string,
      body: (scope: Scope<Database>, texts: readonly string[]) => Promise<void>,
    ): Promise<void> {
      const texts: string[] = []
      return inDurableObject<Database>(
        async (scope) => {
          await scope.exec('create table person (id integer primary key, name text unique)')
          await body(scope, texts)
        },
        {
          kysely: {
            log({ query }) {
              texts.push(query.sql)
              if (query.sql === statement) {
                throw failure
              }
            },
          },
        },
      )
    }
    const names = async ({ exec }: Scope<Database>): Promise<unknown> =>
      (await exec('select name from person')).map(({ name }) => name)

    it('should be the error of a transaction that is committed', () =>
      throwing('commit', async (scope, texts) => {
        const transaction = scope.db
          .transaction()
          .execute((trx) => trx.insertInto('person').values({ name: 'Ada' }).execute())
        await expect(transaction).rejects.toBe(failure)
        expect(texts).toEqual(['begin', 'insert into `person` (`name`) values (?)', 'commit'])
        expect(await names(scope)).toEqual(['Ada'])
        await scope.db.insertInto('person').values({ name: 'Grace' }).execute()
        expect(await names(scope)).toEqual(['Ada', 'Grace'])
      }))

    it('should be the error of commit(), after which no query is taken', () =>
      throwing('commit', async (scope) => {
        const trx = await scope.db.startTransaction().execute()
        await trx.insertInto('person').values({ name: 'Ada' }).execute()
        await expect(trx.commit().execute()).rejects.toBe(failure)
        await expect(
          trx.insertInto('person').values({ name: 'Eve' }).execute(),
        ).rejects.toMatchObject({ code: 'ERR_TRANSACTION_ENDED' })
        await trx.rollback().execute()
        expect(await names(scope)).toEqual(['Ada'])
      }))

    it('should be the error of a transaction that then has not begun', () =>
      throwing('begin', async (scope) => {
        const transaction = scope.db
          .transaction()
          .execute((trx) => trx.insertInto('person').values({ name: 'Ada' }).execute())
        await expect(transaction).rejects.toBe(failure)
        await scope.db.insertInto('person').values({ name: 'Grace' }).execute()
        expect(await names(scope)).toEqual(['Grace'])
      }))
  })
})
