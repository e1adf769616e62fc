import { describe, expect, it } from 'vitest'
import { withDoTransaction } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  person: { name: string }
}

function withPerson(body: (scope: Scope<Database>) => void | Promise<void>): Promise<void> {
  return inDurableObject<Database>((scope) => {
    scope.sql.exec('create table person (name text unique)')
    return body(scope)
  })
}

function names({ sql }: Scope<Database>): unknown[] {
  return sql
    .exec('select name from person')
    .toArray()
    .map(({ name }) => name)
}

describe('withDoTransaction', () => {
  it('should commit and return what the closure returns', () =>
    withPerson((scope) => {
      const result = withDoTransaction(scope.storage, (sql) => {
        sql.exec("insert into person values ('Ada')")
        return sql.exec<{ name: string }>('select name from person').one().name
      })
      expect(result).toBe('Ada')
      expect(names(scope)).toEqual(['Ada'])
    }))

  it('should undo everything and throw on what the closure throws', () =>
    withPerson((scope) => {
      const failure = new Error('in the closure')
      expect(() =>
        withDoTransaction(scope.storage, (sql) => {
          sql.exec("insert into person values ('Ada')")
          throw failure
        }),
      ).toThrow(failure)
      expect(names(scope)).toEqual([])
    }))

  it('should nest', () =>
    withPerson((scope) => {
      withDoTransaction(scope.storage, (sql) => {
        sql.exec("insert into person values ('Ada')")
        expect(() =>
          withDoTransaction(scope.storage, (inner) => {
            inner.exec("insert into person values ('Grace')")
            inner.exec("insert into person values ('Ada')")
          }),
        ).toThrow('UNIQUE constraint failed: person.name')
        sql.exec("insert into person values ('Eve')")
      })
      expect(names(scope)).toEqual(['Ada', 'Eve'])
    }))

  it('should be part of an open db.transaction()', () =>
    withPerson(async (scope) => {
      const trx = await scope.db.startTransaction().execute()
      withDoTransaction(scope.storage, (sql) => {
        sql.exec("insert into person values ('Ada')")
      })
      expect(names(scope)).toEqual(['Ada'])
      await trx.rollback().execute()
      expect(names(scope)).toEqual([])
    }))

  it('should refuse a promise, and undo what was written', () =>
    withPerson(async (scope) => {
      const closure = async (sql: SqlStorage): Promise<void> => {
        sql.exec("insert into person values ('Ada')")
        await Promise.resolve()
        throw new Error('reported to nobody')
      }
      // @ts-expect-error The types refuse it too.
      expect(() => withDoTransaction(scope.storage, closure)).toThrow(
        expect.objectContaining({
          name: 'DurableObjectSqliteError',
          code: 'ERR_ASYNC_TRANSACTION',
          message:
            'The closure of a synchronous transaction returned a promise, and everything it did has been undone. Leave out `async` and `await`, or use db.transaction().',
        }),
      )
      await scheduler.wait(1)
      expect(names(scope)).toEqual([])
    }))

  it('should refuse anything else that can be awaited', () =>
    withPerson((scope) => {
      const closure = (sql: SqlStorage): PromiseLike<number> => {
        sql.exec("insert into person values ('Ada')")
        // oxlint-disable-next-line unicorn/no-thenable -- what is tested here
        return { then: () => Promise.resolve() } as unknown as PromiseLike<number>
      }
      // @ts-expect-error The types refuse it too.
      expect(() => withDoTransaction(scope.storage, closure)).toThrow(
        expect.objectContaining({ code: 'ERR_ASYNC_TRANSACTION' }),
      )
      expect(names(scope)).toEqual([])
    }))
})
