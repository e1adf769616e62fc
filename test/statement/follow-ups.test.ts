import { type Generated, Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import { DurableObjectSqliteDialect } from '../../src/index.js'
import { inDurableObject } from '../harness.js'
import { listen } from '../listen.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

const CHANGES = 'select changes() as changes, last_insert_rowid() as rowid'

it('should send one follow-up after a write, and none where its answer is known', () =>
  inDurableObject(async ({ storage }) => {
    storage.sql.exec('create table person (id integer primary key, name text unique)')
    const { storage: listened, statements } = listen(storage)
    const db = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(listened) })
    const followUpsOf = async (query: { execute(): Promise<unknown> }) => {
      statements.length = 0
      await query.execute()
      return statements.slice(1)
    }
    const insert = (name: string) => db.insertInto('person').values({ name })

    // The first insert into a table asks once whether it has a rowid.
    expect(await followUpsOf(insert('Ada'))).toEqual([
      CHANGES,
      expect.stringContaining('pragma_table_list'),
    ])
    expect(await followUpsOf(insert('Grace'))).toEqual([CHANGES])
    expect(await followUpsOf(db.updateTable('person').set({ id: 5 }).where('id', '=', 1))).toEqual([
      CHANGES,
    ])
    expect(await followUpsOf(db.deleteFrom('person').where('id', '=', 5))).toEqual([CHANGES])

    expect(await followUpsOf(db.deleteFrom('person').where('id', '=', 9))).toEqual([])
    expect(await followUpsOf(insert('Grace').onConflict((it) => it.doNothing()))).toEqual([])
    expect(await followUpsOf(insert('Eve').returning('id'))).toEqual([])
    expect(await followUpsOf(db.selectFrom('person').selectAll())).toEqual([])
    expect(await followUpsOf(db.schema.createTable('t').addColumn('a', 'text'))).toEqual([])
    expect(
      await followUpsOf({ execute: () => sql`alter table t rename to u`.execute(db) }),
    ).toEqual([])
  }))
