import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { env, inEmptyObject, newObject, tables } from './harness.js'

describe('Notebook', () => {
  it('should have its schema at the first request', async () => {
    const notebook = newObject(env.NOTEBOOK)
    await notebook.add('first')
    expect(await notebook.notes()).toEqual(['first'])
  })

  it('should apply nothing twice', async () => {
    const notebook = newObject(env.NOTEBOOK)
    await notebook.add('first')
    await evictDurableObject(notebook)
    expect(await notebook.notes()).toEqual(['first'])
  })

  it('should have its schema again after deleteAll()', async () => {
    const notebook = newObject(env.NOTEBOOK)
    await notebook.add('first')
    await notebook.deleteAll()
    expect(await notebook.add('second')).toBe(1)
    expect(await notebook.notes()).toEqual(['second'])
  })

  it('should apply what a deploy has added to the data of before', async () => {
    const notebook = newObject(env.NOTEBOOK)
    await notebook.add('first')
    // As it was before the second migration.
    await runInDurableObject(notebook, (_, { storage: { sql } }) => {
      sql.exec('drop trigger note_created')
      sql.exec('drop index note_created_at')
      sql.exec('alter table note drop column created_at')
      sql.exec("delete from kysely_migration where name = '0002_created_at'")
    })
    await evictDurableObject(notebook)
    await notebook.add('second')
    expect(await notebook.notes()).toEqual(['first', 'second'])
    await runInDurableObject(notebook, (_, { storage }) =>
      expect(
        storage.sql.exec("select created_at <> '' as dated from note order by id").toArray(),
      ).toEqual([{ dated: 0 }, { dated: 1 }]),
    )
  })
})

const migrations = ['create table note (text)', 'create table tag (note integer)', 'selec 1']

/** The usual version: one statement after the other, and a flag in memory that all is done. */
class UsualNotebook {
  readonly #sql: SqlStorage
  #isMigrated = false

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql
  }

  migrate(statements: readonly string[]): void {
    if (!this.#isMigrated) {
      for (const statement of statements) {
        this.#sql.exec(statement)
      }
      this.#isMigrated = true
    }
  }
}

describe('a migration of statements and a flag', () => {
  it('should leave half a migration, and never get past it', () =>
    inEmptyObject(async (storage) => {
      expect(() => new UsualNotebook(storage).migrate(migrations)).toThrow('syntax error')
      expect(tables(storage)).toEqual(['note', 'tag'])
      // The statement is mended and deployed.
      expect(() => new UsualNotebook(storage).migrate(migrations.with(2, 'select 1'))).toThrow(
        'table note already exists',
      )
    }))

  it('should leave nothing after deleteAll()', () =>
    inEmptyObject(async (storage) => {
      const notebook = new UsualNotebook(storage)
      notebook.migrate(migrations.slice(0, 2))
      await storage.deleteAll()
      notebook.migrate(migrations.slice(0, 2))
      expect(tables(storage)).toEqual([])
    }))
})
