import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { DurableObjectSqliteQueryEvent } from '../../src/index.js'
import type { RemoteDatabaseStub } from '../../src/remote/protocol.js'
import { type Options, outside, type Scope } from '../harness.js'
import { offerDatabase } from '../remote-databases.js'

interface Database {
  number: { n: number }
}

function withNumbers(
  body: (scope: Scope<Database>) => Promise<void>,
  options?: Options,
): Promise<void> {
  return outside<Database>(async (scope) => {
    await scope.exec(`
      create table number (n integer primary key);
      create table other (n integer);
      with recursive i(n) as (select 1 union all select n + 1 from i where n < 100)
        insert into number select n from i`)
    await body(scope)
  }, options)
}

const dropsOther = async ({ exec }: Scope<Database>): Promise<boolean> =>
  exec('drop table other').then(
    () => true,
    () => false,
  )

describe('a remote stream', () => {
  it('should be two chunks ahead of the loop, and no more', () => {
    const events: DurableObjectSqliteQueryEvent[] = []
    return withNumbers(
      async ({ db }) => {
        for await (const { n } of db.selectFrom('number').selectAll().stream(2)) {
          await scheduler.wait(5)
          if (n === 3) {
            break
          }
        }
        // Four rows in two chunks, four ahead; the platform reads one ahead, and closing the cursor one.
        expect(events).toMatchObject([{ rowsRead: 10, rowsWritten: 0 }])
      },
      { dialect: { onQuery: (event) => events.push(event) } },
    )
  })

  it.each([1, 7, 50, 100, 1000])(
    'should have closed its cursor at its end, in chunks of %d',
    (size) =>
      withNumbers(async (scope) => {
        const seen: number[] = []
        for await (const { n } of scope.db.selectFrom('number').selectAll().stream(size)) {
          seen.push(n)
        }
        expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
        expect(await dropsOther(scope)).toBe(true)
      }),
  )

  it('should have closed its cursor when the loop was left, in a transaction too', () =>
    withNumbers(async (scope) => {
      await scope.db.transaction().execute(async (trx) => {
        for await (const _ of trx.selectFrom('number').selectAll().stream(2)) {
          break
        }
        await trx.schema.dropTable('other').execute()
      })
      expect(await dropsOther(scope)).toBe(false)
    }))

  it('should close its cursor when the Worker lets go of it', () =>
    withNumbers(async (scope) => {
      const key = offerDatabase()
      const database = env.OBJECT.get(scope.stub.id).database(key) as unknown as RemoteDatabaseStub
      const query = { sql: 'select n from number', parameters: [], outline: 'RawNode' } as const
      const cursor = database.stream(query, 1)
      expect(await cursor.next()).toMatchObject({ ok: { columns: [[1]] } })
      expect(await dropsOther(scope)).toBe(false)
      cursor[Symbol.dispose]()
      await vi.waitUntil(() => dropsOther(scope))
      database[Symbol.dispose]?.()
    }))
})
