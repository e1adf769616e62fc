import type { Generated } from 'kysely'
import { describe, expect, it } from 'vitest'
import { batch } from '../../src/remote/index.js'
import { outside } from '../harness.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

describe('RemoteDurableObjectDialect', () => {
  it('should query', () =>
    outside<Database>(async ({ db, exec }) => {
      await exec('create table person (id integer primary key, name text unique)')
      await db.insertInto('person').values({ name: 'Ada' }).execute()
      expect(await db.selectFrom('person').selectAll().execute()).toEqual([{ id: 1, name: 'Ada' }])
      await db.transaction().execute(async (trx) => {
        await trx.insertInto('person').values({ name: 'Eve' }).execute()
        await trx.insertInto('person').values({ name: 'Bob' }).execute()
      })
      expect(await db.selectFrom('person').selectAll().execute()).toHaveLength(3)
      const [people, { insertId }] = await batch(db, [
        db.selectFrom('person').selectAll(),
        db.insertInto('person').values({ name: 'x' }),
      ])
      expect([people.length, insertId]).toEqual([3, 4n])
      const names = []
      for await (const { name } of db.selectFrom('person').selectAll().stream(1)) {
        names.push(name)
      }
      expect(names).toEqual(['Ada', 'Eve', 'Bob', 'x'])
    }))
})
