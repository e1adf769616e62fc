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
})
