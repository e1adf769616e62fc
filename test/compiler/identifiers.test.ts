import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  session: { id: number; token: string; expired_at: string }
}

/** The table has no column `expired_at`, though the types say so. */
function withSessions<T>(body: (scope: Scope<Database>) => Promise<T>): Promise<T> {
  return inDurableObject<Database, T>(async (scope) => {
    await scope.exec(`
      create table session (id integer primary key, token text);
      insert into session values (1, 'a'), (2, 'b'), (3, 'c')`)
    return body(scope)
  })
}

describe('a misspelt column', () => {
  it('should be an error in every clause, and leave the rows as they are', () =>
    withSessions(async ({ db, exec }) => {
      const queries = [
        db.selectFrom('session').select('expired_at'),
        db.selectFrom('session').selectAll().where('expired_at', '!=', 'x'),
        db.selectFrom('session').selectAll().orderBy('expired_at'),
        db.selectFrom('session').selectAll().groupBy('expired_at'),
        db.updateTable('session').set({ expired_at: 'x' }),
        db
          .updateTable('session')
          .set((eb) => ({ token: eb.ref('expired_at') }))
          .where('id', '=', 1),
        db.deleteFrom('session').where('expired_at', '!=', 'x'),
        db.insertInto('session').values({ id: 4, token: 'd', expired_at: 'x' }),
      ]
      for (const query of queries) {
        await expect(db.executeQuery<unknown>(query)).rejects.toMatchObject({
          code: 'SQLITE_ERROR',
          message: expect.stringMatching(/no such column|has no column named/),
        })
      }
      expect(await exec('select * from session')).toEqual([
        { id: 1, token: 'a' },
        { id: 2, token: 'b' },
        { id: 3, token: 'c' },
      ])
    }))

  it('would have deleted every row in double quotes', () =>
    withSessions(async ({ db, exec }) => {
      await sql`delete from "session" where "expired_at" != ${'x'}`.execute(db)
      expect(await exec('select * from session')).toEqual([])
    }))
})

describe('an identifier', () => {
  it.each(['select', 'a b', 'a`b', 'a"b', "a'b", 'a.b[c]', 'ä😀', '?', '1'])(
    'should be %s as a table and as a column',
    (name) =>
      inDurableObject<Record<string, Record<string, unknown>>>(async ({ db }) => {
        const table = db.dynamic.table(name.replaceAll('.', '_')).as('t')
        await db.schema.createTable(name.replaceAll('.', '_')).addColumn(name, 'integer').execute()
        await sql`insert into ${sql.id(name.replaceAll('.', '_'))} (${sql.id(name)}) values (1)`.execute(
          db,
        )
        const rows = await db.selectFrom(table).selectAll().execute()
        expect(rows).toEqual([{ [name]: 1 }])
      }),
  )
})
