import { CompiledQuery, sql, type Generated } from 'kysely'
import { expect, it } from 'vitest'
import { type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  item: { id: Generated<number>; name: string | null }
}

const ids = Array.from({ length: 1_000 }, (_, i) => i + 1)

async function fillItems({ db, storage }: Scope<Database>): Promise<SyncExecutor> {
  await db.schema
    .createTable('item')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .execute()
  const sync = new SyncExecutor(db, storage)
  sync.run(db.insertInto('item').values(ids.map((id) => ({ id, name: `name ${id % 2}` }))))
  return sync
}

it('should run synchronous queries of any number of values', () =>
  inDurableObject<Database>(async (scope) => {
    const sync = await fillItems(scope)
    const { db } = scope
    expect(sync.execute(db.selectFrom('item').select('id').where('id', 'in', ids))).toHaveLength(
      1_000,
    )
    expect(sync.execute(db.deleteFrom('item').where('id', 'not in', ids.slice(0, 900)))).toEqual([
      { numDeletedRows: 100n },
    ])
    expect(
      sync.execute(
        sql<{ n: number }>`select count(*) as n from item where id in (${sql.join(ids)})`,
      ),
    ).toEqual([{ n: 900 }])
  }))

it('should prepare queries of any number of values', () =>
  inDurableObject<Database>(async (scope) => {
    const sync = await fillItems(scope)
    const { db } = scope
    const fixed = sync.prepare((param: QueryParameters<{ name: string }>) =>
      db.selectFrom('item').select('id').where('id', 'in', ids).where('name', '=', param('name')),
    )
    expect(fixed.execute({ name: 'name 1' })).toHaveLength(500)
    expect(fixed.execute({ name: 'name 2' })).toEqual([])
    const list = sync.prepare((param: QueryParameters<{ ids: readonly number[] }>) =>
      db.selectFrom('item').select('id').where('id', 'in', param('ids')),
    )
    expect(list.execute({ ids: ids.slice(0, 101) })).toEqual(
      ids.slice(0, 101).map((id) => ({ id })),
    )
    expect(list.execute({ ids })).toHaveLength(1_000)
    const rows = sync.prepare((param: QueryParameters<{ name: string }>) =>
      db
        .insertInto('item')
        .values(ids.map((id) => ({ id: 1_000 + id, name: param('name') })))
        .returning('name'),
    )
    expect(rows.execute({ name: 'new' })).toEqual(ids.map(() => ({ name: 'new' })))
  }))

it('should explain the limit for a compiled query', () =>
  inDurableObject<Database>(async (scope) => {
    const sync = await fillItems(scope)
    const placeholders = ids.map(() => '?').join(', ')
    expect(() => sync.execute(CompiledQuery.raw(`select 1 in (${placeholders})`, ids))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('json_each') }),
    )
  }))
