import type { Generated } from 'kysely'
import { expect, it } from 'vitest'
import { withDoTransaction } from '../../src/index.js'
import { inDurableObject } from '../harness.js'
import { refuseCodeGeneration } from '../refuse-code-generation.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

refuseCodeGeneration()

it('should be refused in this test', () => {
  // oxlint-disable-next-line no-new-func, no-implied-eval, typescript/no-implied-eval -- what is refused
  expect(() => new Function('return 1')).toThrow(EvalError)
  // oxlint-disable-next-line no-eval -- what is refused
  expect(() => globalThis.eval('1')).toThrow(EvalError)
  expect(() => (() => {}).constructor('return 1')).toThrow(EvalError)
})

it('should not be needed to query, stream, transact and introspect', () =>
  inDurableObject<Database>(async ({ db, inside }) => {
    await db.schema
      .createTable('person')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.unique())
      .execute()
    expect(await db.insertInto('person').values({ name: 'Ada' }).executeTakeFirst()).toEqual({
      insertId: 1n,
      numInsertedOrUpdatedRows: 1n,
    })
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('person').values({ name: 'Grace' }).returningAll().execute()
      await expect(
        trx.insertInto('person').values({ name: 'Ada' }).execute(),
      ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
    })
    await inside(({ storage }) =>
      withDoTransaction(storage, (sql) => {
        sql.exec("insert into person (name) values ('Eve')")
      }),
    )
    const names: string[] = []
    for await (const { name } of db.selectFrom('person').selectAll().stream(2)) {
      names.push(name)
    }
    expect(names).toEqual(['Ada', 'Grace', 'Eve'])
    expect(await db.introspection.getTables()).toHaveLength(1)
  }))
