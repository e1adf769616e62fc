import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Kysely } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor } from 'kysely-durable-sqlite'
import { QueryRecorder } from 'kysely-durable-sqlite/cost'
import { describe, expect, it } from 'vitest'
import { archiveDone } from '../../examples/multi-tenant/src/tenant/archive-done.js'
import {
  columns,
  type Database,
} from '../../examples/multi-tenant/src/tenant/database.generated.js'
import { LiveList } from '../../examples/multi-tenant/src/tenant/live-list.js'
import { withDatabase } from '../../examples/multi-tenant/src/tenant/remote.js'
import * as tasks from '../../examples/multi-tenant/src/tenant/tasks.js'
import { drainUsageQueue } from '../../examples/multi-tenant/src/tenant/usage-queue.js'
import { directory, newTenant, query } from './harness.js'

describe('what a tenant costs', () => {
  it('should not grow with its tasks: no action reads a table whole', () =>
    runInDurableObject(newTenant(), async (_, ctx) => {
      const recorder = new QueryRecorder()
      const db = new Kysely<Database>({
        dialect: new DurableObjectSqliteDialect(ctx.storage, {
          columns,
          onQuery: recorder.onQuery,
        }),
      })
      const sync = new SyncExecutor(db, ctx.storage)
      const scope = { db, sync }
      const [first, second] = ['a', 'b'].map((title) => tasks.addTask(scope, { title }))
      tasks.completeTasks(scope, { ids: [first!.id] })
      tasks.importTasks(scope, { tasks: [first!, second!] })
      await tasks.newestTasks(db).execute()
      await tasks.dueTasks(db).execute()
      const live = new LiveList(ctx, db, sync)
      live.accept('ada')
      live.disconnect()
      await archiveDone(db)
      tasks.deleteTask(scope, { id: second!.id })
      await drainUsageQueue(db, 'nobody', directory())
      expect(recorder.scans(ctx.storage)).toEqual([])
    }))

  it('should be bounded for a session of the Worker', async () => {
    const tenant = newTenant()
    const answer = await tenant.addTask({ title: 'First' })
    expect(answer).toMatchObject({ value: { title: 'First' } })
    await query(
      tenant,
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
       insert into task (id, title) select 'task ' || i, i from n`,
    )
    const name = tenant.name!
    const reading = withDatabase(
      () => env.TENANT.getByName(name),
      async (db) => {
        const all = db.selectFrom('task').select('title')
        for (let i = 0; i < 4; i++) {
          await all.execute()
        }
      },
    )
    await expect(reading).rejects.toMatchObject({ code: 'ERR_BUDGET_EXCEEDED' })
  })
})
