import { Migrator } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { migrateToLatest, rebuildTable } from '../../src/migration/index.js'
import { inDurableObject, type Scope } from '../harness.js'
import { codeOf, tableNames } from './helpers.js'

type Migrate = (
  storage: DurableObjectStorage,
  migrations: Record<string, string>,
) => Promise<unknown>

/** What is commonly written by hand, or found in other packages: SQL texts, a version, a flag. */
function naiveRunner(): Migrate {
  let isDone = false
  return async (storage, migrations) => {
    if (isDone) {
      return
    }
    const { sql } = storage
    sql.exec('create table if not exists applied (name text)')
    const last = sql.exec('select max(name) as name from applied').one()['name'] ?? ''
    for (const name of Object.keys(migrations).toSorted()) {
      if (name > last) {
        await Promise.resolve()
        try {
          storage.transactionSync(() => {
            sql.exec(migrations[name] ?? '')
            sql.exec('insert into applied values (?)', name)
          })
        } catch {
          throw new Error('Migration failed')
        }
      }
    }
    isDone = true
  }
}

/** Whether the fault shows. */
type Fault = (scope: Scope<unknown>, migrate: Migrate) => Promise<boolean>

async function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  )
}

const A = { '0001': 'create table a (x)' }
const B = { '0002': 'create table b (x)' }
const C = { '0003': 'create table c (x)' }

const FAULTS: Record<string, Fault> = {
  'apply a late migration never, and not say so': async ({ storage }, migrate) => {
    await migrate(storage, { ...A, ...C })
    const isRefused = await rejects(migrate(storage, { ...A, ...B, ...C }))
    return !isRefused && !tableNames(storage).includes('b')
  },
  'notice no edit': async ({ storage }, migrate) => {
    await migrate(storage, A)
    return !(await rejects(migrate(storage, { '0001': 'create table a (x, y)' })))
  },
  'remember what was rolled back': async ({ storage }, migrate) => {
    await storage.transaction(async (transaction) => {
      await migrate(storage, A)
      transaction.rollback()
    })
    await migrate(storage, A)
    return !tableNames(storage).includes('a')
  },
  'remember what deleteAll() deleted': async ({ storage }, migrate) => {
    await migrate(storage, A)
    await storage.deleteAll()
    await migrate(storage, A)
    return !tableNames(storage).includes('a')
  },
  'fail when two requests arrive first': async ({ storage }, migrate) =>
    rejects(Promise.all([migrate(storage, A), migrate(storage, A)])),
  'hide the error of SQLite': async ({ storage }, migrate) => {
    const error: unknown = await migrate(storage, { '0001': 'select nope' }).catch(
      (error: unknown) => error,
    )
    return !String(error).includes('no such column: nope')
  },
}

const PARENT = 'create table parent (id integer primary key)'
const FAMILY = `${PARENT}; insert into parent values (1);
  create table child (parent_id integer references parent on delete cascade);
  insert into child values (1)`

describe('a naive runner', () => {
  it.each(Object.entries(FAULTS))('should %s', (_, fault) =>
    inDurableObject(async (scope) => {
      expect(await fault(scope, naiveRunner())).toBe(true)
    }),
  )

  it('should delete the children of a table with ON DELETE CASCADE that is rebuilt', () =>
    inDurableObject(async ({ storage, sql }) => {
      const rebuild = `pragma foreign_keys = off; create table new (id integer primary key);
        insert into new select id from parent; drop table parent; alter table new rename to parent`
      await naiveRunner()(storage, { '0001': FAMILY, '0002': rebuild })
      expect(sql.exec('select * from child').toArray()).toEqual([])
    }))
})

describe("Kysely's Migrator", () => {
  it('should read the whole schema when there is nothing to do', async () => {
    let statements = 0
    await inDurableObject<unknown>(
      async ({ db }) => {
        const up = async (): Promise<void> => {}
        const migrator = new Migrator({
          db,
          provider: { getMigrations: () => Promise.resolve({ '0001': { up } }) },
        })
        await migrator.migrateToLatest()
        statements = 0
        expect(await migrator.migrateToLatest()).toEqual({ results: [] })
        expect(statements).toBeGreaterThan(1)
      },
      { dialect: { onQuery: () => statements++ } },
    )
  })
})

describe('migrateToLatest', () => {
  it.each(Object.entries(FAULTS))('should not %s', (_, fault) =>
    inDurableObject(async (scope) => {
      expect(await fault(scope, migrateToLatest)).toBe(false)
    }),
  )

  it('should keep the children of a table with ON DELETE CASCADE that is rebuilt', () =>
    inDurableObject(async ({ storage, sql }) => {
      await migrateToLatest(storage, {
        '0001': FAMILY,
        '0002': {
          foreignKeys: 'off',
          async up(_, sql) {
            rebuildTable(sql, 'parent', { create: PARENT })
          },
        },
      })
      expect(sql.exec('select * from child').toArray()).toEqual([{ parent_id: 1 }])
    }))

  it('should apply a late migration where that is allowed', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, { ...A, ...C })
      expect(await codeOf(migrateToLatest(storage, { ...A, ...B, ...C }))).toBe(
        'ERR_MIGRATION_UNORDERED',
      )
      const options = { allowUnorderedMigrations: true }
      expect(await migrateToLatest(storage, { ...A, ...B, ...C }, options)).toEqual(['0002'])
    }))
})
