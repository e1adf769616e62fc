import { type Generated, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, type Scope } from './harness.js'

interface Database {
  person: { id: Generated<number>; name: string | null }
}

async function createPerson({ db }: Scope<Database>): Promise<void> {
  await db.schema
    .createTable('person')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .execute()
}

describe('a write without result columns', () => {
  it('should return the number of rows and the last id', () =>
    inDurableObject<Database>(async (scope) => {
      await createPerson(scope)
      const { db } = scope
      expect(
        await db
          .insertInto('person')
          .values([{ name: 'Ada' }, { name: 'Grace' }])
          .execute(),
      ).toEqual([{ insertId: 2n, numInsertedOrUpdatedRows: 2n }])
      expect(await sql`select 1 as one`.execute(db)).toEqual({ rows: [{ one: 1 }] })
    }))
})
