import { describe, expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'
import { Author, Book, Sample, Tag } from './entities.js'
import { createOrm, type OrmScope, withOrm } from './harness.js'

async function addAuthors({ em }: OrmScope, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    em.create(Author, { name: `Author ${i}`, email: `${i}`, age: i })
  }
  await em.flush()
  em.clear()
}

async function addLibrary({ em }: OrmScope): Promise<void> {
  const [sql, science] = [em.create(Tag, { name: 'sql' }), em.create(Tag, { name: 'science' })]
  em.create(Author, {
    name: 'Ada',
    email: 'ada',
    books: [
      { title: 'Notes', tags: [science] },
      { title: 'Tables', tags: [sql, science] },
    ],
  })
  em.create(Author, { name: 'Grace', email: 'grace', books: [{ title: 'COBOL' }] })
  await em.flush()
  em.clear()
}

describe('many entities', () => {
  it('should be inserted, with their keys', () =>
    withOrm(async ({ em }) => {
      const authors = Array.from({ length: 1000 }, (_, i) =>
        em.create(Author, { name: `Author ${i}`, email: `${i}` }),
      )
      await em.flush()
      expect(authors.map(({ id }) => id)).toEqual(authors.map((_, i) => i + 1))
      expect(await em.fork().count(Author)).toBe(1000)
    }))

  it('should be updated', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 1000)
      const { em } = scope
      for (const author of await em.findAll(Author)) {
        author.name = `Renamed ${author.id}`
        author.age = null
      }
      await em.flush()
      const renamed = await em.fork().find(Author, { age: null }, { orderBy: { id: 'desc' } })
      expect(renamed).toHaveLength(1000)
      expect(renamed[0]).toMatchObject({ id: 1000, name: 'Renamed 1000', version: 2 })
    }))

  it('should be removed', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 1000)
      const { em } = scope
      for (const author of await em.find(Author, { age: { $gt: 10 } })) {
        em.remove(author)
      }
      await em.flush()
      expect(await em.fork().count(Author)).toBe(10)
    }))

  it('should be updated and deleted in one query', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 1000)
      const { em } = scope
      expect(await em.nativeUpdate(Author, { age: { $lte: 300 } }, { name: 'Young' })).toBe(300)
      expect(await em.nativeDelete(Author, { name: 'Young' })).toBe(300)
      expect(await em.count(Author)).toBe(700)
    }))

  it('should be inserted in one call', () =>
    withOrm(async ({ em }) => {
      const id = await em.insert(Author, { name: 'Eve', email: 'eve', version: 1 })
      await em.insertMany(
        Author,
        Array.from({ length: 500 }, (_, i) => ({ name: 'Ada', email: `${i}`, version: 1 })),
      )
      expect([id, await em.count(Author)]).toEqual([1, 501])
    }))

  it('should need a smaller batchSize than the default, to be updated', () =>
    inDurableObject(async ({ dialect }) => {
      const orm = createOrm(dialect, { batchSize: 300 })
      await orm.schema.create()
      const em = orm.em.fork()
      const authors = Array.from({ length: 300 }, (_, i) =>
        em.create(Author, { name: `Author ${i}`, email: `${i}` }),
      )
      await em.flush()
      for (const author of authors) {
        author.name = 'Renamed'
      }
      await expect(em.flush()).rejects.toThrow('Expression tree is too large (maximum depth 100)')
      expect(await orm.em.fork().count(Author, { name: 'Renamed' })).toBe(0)
    }))

  it('should fit in a statement of 100,000 bytes, their values included', () =>
    withOrm(async ({ em }) => {
      em.create(Author, { name: 'x'.repeat(99_000), email: 'long' })
      await em.flush()
      em.create(Author, { name: 'x'.repeat(100_000), email: 'too long' })
      await expect(em.flush()).rejects.toThrow('statement too long: SQLITE_TOOBIG')
      expect(await em.fork().count(Author)).toBe(1)
    }))
})

describe('upsert', () => {
  it('should insert, then update', () =>
    withOrm(async ({ em }) => {
      const inserted = await em.upsert(Author, { name: 'Ada', email: 'ada', version: 1 })
      expect(inserted).toMatchObject({ id: 1, name: 'Ada' })
      const updated = await em.fork().upsert(Author, { name: 'Lady', email: 'ada', version: 1 })
      expect(updated).toMatchObject({ id: 1, name: 'Lady' })
      expect(await em.fork().count(Author)).toBe(1)
    }))

  it('should take many', () =>
    withOrm(async ({ em }) => {
      em.create(Author, { name: 'Ada', email: 'ada' })
      await em.flush()
      em.clear()
      await em.upsertMany(Author, [
        { name: 'Lady', email: 'ada', version: 1 },
        { name: 'Grace', email: 'grace', version: 1 },
      ])
      const authors = await em.fork().find(Author, {}, { orderBy: { email: 'asc' } })
      expect(authors.map(({ email, name }) => [email, name])).toEqual([
        ['ada', 'Lady'],
        ['grace', 'Grace'],
      ])
    }))
})

describe('column types', () => {
  it('should be read as they were written', () =>
    withOrm(async ({ em, exec }) => {
      const values = {
        id: '3f1c5b1e-0c0e-4d0a-9d2b-6a3c8f0e7b11',
        big: 9007199254740991n,
        at: new Date('2026-11-21T01:02:03.456Z'),
        day: '2026-11-21',
        flag: true,
        data: { list: [1, 2], text: `it's "quoted"` },
        bytes: Buffer.from([0, 1, 255]),
        raw: new Uint8Array([0, 1, 255]),
        kind: 'large' as const,
        price: '12.5',
        ratio: 0.1,
        note: `a 'quote', a \\ and a ? 😀`,
      }
      em.create(Sample, values)
      await em.flush()
      em.clear()
      const sample = await em.findOneOrFail(Sample, values.id)
      expect({ ...sample, bytes: [...sample.bytes] }).toEqual({
        ...values,
        bytes: [0, 1, 255],
      })
      expect(
        await exec(
          `select typeof(big) as big, typeof(at) as at, typeof(flag) as flag,
             typeof(bytes) as bytes, typeof(raw) as raw from sample`,
        ),
      ).toEqual([{ big: 'integer', at: 'integer', flag: 'integer', bytes: 'blob', raw: 'blob' }])
      em.clear()
      expect(
        await em.find(Sample, { at: values.at, flag: true, data: { text: values.data.text } }),
      ).toHaveLength(1)
    }))

  it('should write any 64-bit integer, which the platform rounds beyond 2^53 when it is read', () =>
    withOrm(async ({ em, exec }) => {
      await em.execute('create table number (n integer not null)')
      await em.execute('insert into number (n) values (?)', [9007199254740993n])
      expect(await em.execute('select n from number')).toEqual([{ n: 9007199254740992 }])
      expect(await exec('select cast(n as text) as n from number')).toEqual([
        { n: '9007199254740993' },
      ])
    }))

  it('should refuse a value that an enum does not have', () =>
    withOrm(async ({ em }) => {
      await expect(
        em.insert(Sample, {
          id: '3f1c5b1e-0c0e-4d0a-9d2b-6a3c8f0e7b11',
          big: 1n,
          at: new Date(0),
          day: '1970-01-01',
          flag: false,
          data: { list: [], text: '' },
          bytes: Buffer.alloc(0),
          raw: new Uint8Array(),
          kind: 'medium' as never,
          price: '1',
          ratio: 1,
        }),
      ).rejects.toMatchObject({ name: 'CheckConstraintViolationException' })
    }))
})

describe('populate', () => {
  it.each(['select-in', 'joined', 'balanced'] as const)('should load relations by %s', (strategy) =>
    withOrm(async (scope) => {
      await addLibrary(scope)
      const authors = await scope.em.find(
        Author,
        {},
        {
          populate: ['books.tags'],
          strategy,
          orderBy: { name: 'asc', books: { title: 'asc', tags: { name: 'asc' } } },
        },
      )
      expect(
        authors.map(({ name, books }) => ({
          name,
          books: books.map(({ title, tags }) => ({ title, tags: tags.map((tag) => tag.name) })),
        })),
      ).toEqual([
        {
          name: 'Ada',
          books: [
            { title: 'Notes', tags: ['science'] },
            { title: 'Tables', tags: ['science', 'sql'] },
          ],
        },
        { name: 'Grace', books: [{ title: 'COBOL', tags: [] }] },
      ])
    }),
  )

  it('should load more parents than SQLite takes parameters', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 500)
      const { em } = scope
      for (const author of await em.findAll(Author)) {
        em.create(Book, { title: author.name, author })
      }
      await em.flush()
      const authors = await em
        .fork()
        .findAll(Author, { populate: ['books'], strategy: 'select-in' })
      expect(authors.filter(({ books }) => books.length === 1)).toHaveLength(500)
    }))

  it('should add to and remove from collections', () =>
    withOrm(async (scope) => {
      await addLibrary(scope)
      const { em } = scope
      const book = await em.findOneOrFail(Book, { title: 'Tables' }, { populate: ['tags'] })
      book.tags.remove((tag) => tag.name === 'sql')
      book.tags.add(em.create(Tag, { name: 'data' }))
      await em.flush()
      const again = await em.fork().findOneOrFail(Book, book.id, { populate: ['tags'] })
      expect(again.tags.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b))).toEqual([
        'data',
        'science',
      ])
    }))

  it('should delete what the database cascades to', () =>
    withOrm(async (scope) => {
      await addLibrary(scope)
      const { em } = scope
      await em.nativeDelete(Author, { name: 'Ada' })
      expect(await em.count(Book)).toBe(1)
    }))
})

describe('the query builder', () => {
  it('should select with joins', () =>
    withOrm(async (scope) => {
      await addLibrary(scope)
      const books = await scope.em
        .createQueryBuilder(Book, 'b')
        .leftJoinAndSelect('b.author', 'a')
        .where({ 'a.name': 'Ada' })
        .orderBy({ 'b.title': 'desc' })
        .getResultList()
      expect(books.map(({ title, author }) => [title, author.name])).toEqual([
        ['Tables', 'Ada'],
        ['Notes', 'Ada'],
      ])
    }))

  it('should page, count and group', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 30)
      const { em } = scope
      const [page, total] = await em
        .createQueryBuilder(Author)
        .orderBy({ id: 'asc' })
        .limit(10)
        .offset(20)
        .getResultAndCount()
      expect([page.map(({ id }) => id), total]).toEqual([
        [21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
        30,
      ])
    }))

  it('should insert, update and delete', () =>
    withOrm(async ({ em }) => {
      const inserted = await em
        .createQueryBuilder(Author)
        .insert({ name: 'Ada', email: 'ada' })
        .execute('run')
      expect(inserted).toMatchObject({ affectedRows: 1 })
      const updated = await em
        .createQueryBuilder(Author)
        .update({ name: 'Lady' })
        .where({ email: 'ada' })
        .execute('run')
      expect(updated).toMatchObject({ affectedRows: 1 })
      const deleted = await em.createQueryBuilder(Author).delete({ email: 'nobody' }).execute('run')
      expect(deleted).toMatchObject({ affectedRows: 0 })
    }))
})

describe('raw queries', () => {
  it('should return rows, and counts and ids of writes', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 2)
      const connection = scope.em.getConnection()
      expect(await scope.em.execute('select id, name from author where id > ?', [1])).toEqual([
        { id: 2, name: 'Author 2' },
      ])
      expect(
        await connection.execute(
          'insert into author (name, email) values (?, ?)',
          ['Ada', 'ada'],
          'run',
        ),
      ).toMatchObject({ affectedRows: 1, insertId: 3 })
      expect(
        await connection.execute('update author set age = ? where id < ?', [9, 3], 'run'),
      ).toMatchObject({ affectedRows: 2 })
      expect(await connection.execute('select age from author where id = 1', [], 'get')).toEqual({
        age: 9,
      })
    }))

  it('should take part in a transaction', () =>
    withOrm(async ({ em }) => {
      await expect(
        em.transactional(async (trx) => {
          await trx.execute(`insert into author (name, email) values ('Ada', 'ada')`)
          expect(await trx.execute('select count(*) as n from author')).toEqual([{ n: 1 }])
          throw new Error('failure')
        }),
      ).rejects.toThrow('failure')
      expect(await em.execute('select count(*) as n from author')).toEqual([{ n: 0 }])
    }))
})

describe('streams', () => {
  it('should yield entities, between which others may be written', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 250)
      const { em, orm } = scope
      const ids: number[] = []
      for await (const author of em.stream(Author, { orderBy: { id: 'asc' }, chunkSize: 50 })) {
        ids.push(author.id)
        if (author.id % 100 === 0) {
          const other = orm.em.fork()
          other.create(Tag, { name: author.name })
          await other.flush()
        }
      }
      expect(ids).toEqual(Array.from({ length: 250 }, (_, i) => i + 1))
      expect(await em.count(Tag)).toBe(2)
    }))

  it('should end early', () =>
    withOrm(async (scope) => {
      await addAuthors(scope, 250)
      const { em, orm } = scope
      for await (const row of em.createQueryBuilder(Author).stream()) {
        expect(row).toMatchObject({ name: 'Author 1' })
        break
      }
      await orm.schema.drop()
    }))
})

describe('an object that also uses KV and an alarm', () => {
  it('should keep its entities apart from them', () =>
    withOrm(async (scope) => {
      const { em, orm, inside } = scope
      await inside(async ({ storage }) => {
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
      })
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
      await addLibrary(scope)
      expect(await em.count(Book)).toBe(3)
      expect(await inside(({ storage }) => storage.get('key'))).toBe('value')
    }))
})
