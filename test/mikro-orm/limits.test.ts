import { Migration, Migrator } from '@mikro-orm/migrations'
import { describe, expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'
import { Author, Tag, Ticket } from './entities.js'
import { createOrm, withOrm } from './harness.js'

// Each is of MikroORM's SQL on the platform, and is told in docs/works-with.md.

function many<T>(length: number, toItem: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => toItem(i))
}

describe('a list', () => {
  it('should take 7,000 values, and not 8,000, which are written into the text', () =>
    withOrm(async ({ em }) => {
      const find = (length: number) =>
        em.fork().find(Author, { id: { $in: many(length, (i) => i) } })
      expect(await find(7_000)).toEqual([])
      await expect(find(8_000)).rejects.toThrow('out of memory: SQLITE_NOMEM')
    }))
})

describe('insertMany()', () => {
  it('should be one statement, whatever batchSize is', () =>
    withOrm(async ({ em }) => {
      const insert = (length: number) =>
        em.insertMany(
          Tag,
          many(length, (i) => ({ name: `tag ${i}` })),
        )
      await insert(1_000)
      expect(await em.count(Tag)).toBe(1_000)
      await em.nativeDelete(Tag, {})
      await expect(insert(8_000)).rejects.toThrow('statement too long: SQLITE_TOOBIG')
      expect(await em.count(Tag)).toBe(0)
    }))
})

describe('entities that have only a key', () => {
  it('should be inserted by five, and not by six, in one flush', () =>
    inDurableObject(async ({ dialect }) => {
      const orm = createOrm(dialect, { entities: [Ticket] })
      await orm.schema.create()
      const insert = (length: number) => {
        const em = orm.em.fork()
        many(length, () => em.create(Ticket, {}))
        return em.flush()
      }
      await insert(5)
      await expect(insert(6)).rejects.toThrow('too many terms in compound SELECT: SQLITE_ERROR')
      expect(await orm.em.fork().count(Ticket)).toBe(5)
    }))

  it('should be inserted in any number with a batchSize of five', () =>
    inDurableObject(async ({ dialect }) => {
      const orm = createOrm(dialect, { entities: [Ticket], batchSize: 5 })
      await orm.schema.create()
      const em = orm.em.fork()
      many(100, () => em.create(Ticket, {}))
      await em.flush()
      expect(await em.count(Ticket)).toBe(100)
    }))
})

describe('$or', () => {
  it('should take 98 terms, and not 101', () =>
    withOrm(async ({ em }) => {
      const find = (length: number) =>
        em.fork().find(Author, { $or: many(length, (i) => ({ name: `${i}` })) })
      expect(await find(98)).toEqual([])
      await expect(find(101)).rejects.toThrow('Expression tree is too large (maximum depth 100)')
    }))
})

describe('disableForeignKeys', () => {
  class CreateTicket extends Migration {
    override up(): void {
      this.addSql('create table ticket (id integer primary key)')
    }
  }

  it('should be refused in migrations, which are a transaction', () =>
    inDurableObject(async ({ dialect, db }) => {
      const { migrator } = createOrm(dialect, {
        extensions: [Migrator],
        migrations: {
          migrationsList: [{ name: 'CreateTicket', class: CreateTicket }],
          silent: true,
          snapshot: false,
          disableForeignKeys: true,
        },
      })
      await expect(migrator.up()).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
      expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
        'mikro_orm_migrations',
      ])
    }))
})

describe('getKysely()', () => {
  it('should compile with backticks, as MikroORM itself does', () =>
    withOrm(async ({ em }) => {
      const query = em
        .getKysely()
        .selectFrom('author' as never)
        .selectAll()
      expect(query.compile().sql).toBe('select * from `author`')
    }))
})
