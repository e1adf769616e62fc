import { type Generated, type Kysely, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/sqlite'
import { describe, expect, it } from 'vitest'
import { boolean, column, columnTypes, date, int64, json } from '../../src/columns/index.js'
import { batch } from '../../src/remote/index.js'
import { insideObject, newObject, outside } from '../harness.js'

interface Database {
  person: {
    id: Generated<string>
    name: string
    active: Generated<boolean>
    born: Date | null
    tags: string[]
    balance: bigint
  }
  pet: { id: number; name: string; born: string; tags: string }
}

const columns = columnTypes<Database>({
  person: {
    id: column({ default: () => crypto.randomUUID() }),
    active: boolean(),
    born: date('seconds'),
    tags: json<string[]>(),
    balance: int64(),
  },
})

const SCHEMA = `
  create table person (
    id text primary key, name text, active integer default 1, born integer, tags text, balance integer
  );
  create table pet (id integer primary key, name text, born text, tags text);
  insert into pet values (1, 'Byron', '[1]', '[2]')`

const ada = {
  id: 'ada',
  name: 'Ada',
  active: true,
  born: new Date('1815-12-10T00:00:00.000Z'),
  tags: ['engine', '"'],
  balance: 2n ** 62n + 1n,
}
const grace = {
  id: 'grace',
  name: 'Grace',
  active: false,
  born: null,
  tags: [],
  balance: -1n,
}

const options = { dialect: { columns } }

/** What reads the same wherever Kysely is. */
const reads: Record<string, (db: Kysely<Database>) => Promise<unknown>> = {
  'all columns': (db) => db.selectFrom('person').selectAll().orderBy('id').execute(),
  'columns of one name': (db) =>
    db
      .selectFrom('person')
      .innerJoin('pet', (join) => join.onTrue())
      .selectAll(['person', 'pet'])
      .orderBy('person.id')
      .execute(),
  'columns of one name, the other way round': (db) =>
    db
      .selectFrom('pet')
      .innerJoin('person', (join) => join.onTrue())
      .selectAll('pet')
      .selectAll('person')
      .orderBy('person.id')
      .execute(),
  conditions: (db) =>
    db
      .selectFrom('person')
      .select(['name', 'balance'])
      .where('active', '=', true)
      .where('born', '<', new Date('1900-01-01'))
      .where('balance', 'in', [2n ** 62n + 1n, 2n ** 62n])
      .execute(),
  'JSON helpers': (db) =>
    db
      .selectFrom('pet')
      .select((eb) => [
        'name',
        jsonArrayFrom(
          eb.selectFrom('person').select(['active', 'born', 'tags', 'balance']).orderBy('id'),
        ).as('people'),
      ])
      .execute(),
  nothing: (db) => db.selectFrom('person').selectAll().where('active', 'is', null).execute(),
}

describe('columns, where Kysely is', () => {
  it.each(Object.keys(reads))('should read %s as in the object', async (name) => {
    const read = reads[name]!
    const stub = newObject()
    const inside = await insideObject<Database, unknown>(
      async ({ db, sql }) => {
        sql.exec(SCHEMA)
        await db.insertInto('person').values([ada, grace]).execute()
        return read(db)
      },
      { ...options, stub },
    )
    await outside<Database>(async ({ db }) => expect(await read(db)).toEqual(inside), {
      ...options,
      stub,
    })
  })

  it('should be encoded and decoded in a transaction, a batch and a stream', () =>
    outside<Database>(async ({ db, exec }) => {
      await exec(SCHEMA)
      const people = db.selectFrom('person').selectAll().orderBy('id')
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values(ada).execute()
        expect(await trx.selectFrom('person').selectAll().execute()).toEqual([ada])
        expect(await batch(trx, [trx.selectFrom('person').selectAll()])).toEqual([[ada]])
      })
      const [inserted, all] = await batch(db, [
        db.insertInto('person').values(grace).returningAll(),
        people,
      ])
      expect([inserted, all]).toEqual([[grace], [ada, grace]])
      const streamed: unknown[] = []
      for await (const person of people.stream(1)) {
        streamed.push(person)
      }
      expect(streamed).toEqual([ada, grace])
      expect(await exec('select typeof(born) as born, tags, active from person')).toEqual([
        { born: 'integer', tags: '["engine","\\""]', active: 1 },
        { born: 'null', tags: '[]', active: 0 },
      ])
    }, options))

  it('should call defaults once for each row, of many too', () =>
    outside<Database>(async ({ db, exec }) => {
      await exec(SCHEMA)
      const { id: _, ...person } = ada
      await db
        .insertInto('person')
        .values(Array.from({ length: 300 }, () => person))
        .execute()
      expect(await exec('select count(distinct id) as n from person')).toEqual([{ n: 300 }])
    }, options))

  it('should refuse what cannot be stored before it is sent, and what cannot be read', () =>
    outside<Database>(async ({ db, exec }) => {
      await exec(SCHEMA)
      const wrong = { ...ada, born: new Date(Number.NaN) }
      await expect(db.insertInto('person').values(wrong).execute()).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED_PARAMETER',
        message: expect.stringContaining('born'),
      })
      await exec(`insert into person values ('x', 'X', 'yes', null, '[]', 1)`)
      const query = db.selectFrom('person').select('active')
      const expected = {
        code: 'ERR_COLUMN_VALUE',
        message: expect.stringContaining('active'),
        sql: query.compile().sql,
      }
      await expect(query.execute()).rejects.toMatchObject(expected)
      await expect(batch(db, [db.selectFrom('pet').select('id'), query])).rejects.toMatchObject({
        ...expected,
        index: 1,
      })
    }, options))

  it('should be as SQLite has them without the option, whatever the object says', () =>
    outside<Database>(async ({ db, exec }) => {
      await exec(SCHEMA)
      await exec(`insert into person values ('x', 'X', 1, 2, '[]', 3)`)
      expect(await sql`select * from person`.execute(db)).toMatchObject({
        rows: [{ id: 'x', name: 'X', active: 1, born: 2, tags: '[]', balance: 3 }],
      })
    }, {}))
})
