import { type ControlledTransaction, type Generated, Kysely, sql, type Transaction } from 'kysely'
import { expectTypeOf } from 'vitest'
import {
  explain,
  QueryBudget,
  type QueryCosts,
  type QueryMeter,
  type QueryPlan,
  QueryRecorder,
  type Scan,
} from '../../src/cost/index.js'
import { DurableObjectSqliteDialect } from '../../src/index.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

declare const ctx: DurableObjectState
declare const trx: Transaction<Database>
declare const controlled: ControlledTransaction<Database, ['s']>

const recorder = new QueryRecorder()
const budget = new QueryBudget({ rowsRead: 1, onExceeded: (error, costs) => [error.sql, costs] })
const db = new Kysely<Database>({
  dialect: new DurableObjectSqliteDialect(ctx.storage, { onQuery: recorder.onQuery }),
})
void new DurableObjectSqliteDialect(ctx.storage, { onQuery: budget.onQuery })

// A meter's db has the tables of what it was made from.
expectTypeOf(budget.meter(db)).toEqualTypeOf<QueryMeter<Database>>()
expectTypeOf(budget.meter(trx)).toEqualTypeOf<QueryMeter<Database>>()
expectTypeOf(budget.meter(controlled)).toEqualTypeOf<QueryMeter<Database>>()
expectTypeOf(budget.meter(db).db).toEqualTypeOf<Kysely<Database>>()
expectTypeOf<QueryMeter<Database>>().toExtend<QueryCosts>()

// Queries are explained built, compiled and raw.
const query = db.selectFrom('person').selectAll()
expectTypeOf(explain(ctx.storage.sql, query)).toEqualTypeOf<QueryPlan>()
explain(ctx.storage.sql, query.compile())
explain(ctx.storage.sql, sql`select 1`.compile(db))

// With or without transactions to try indexes in.
expectTypeOf(recorder.scans(ctx.storage)).toEqualTypeOf<Scan[]>()
recorder.scans(ctx.storage.sql, { allow: [{ table: 'person', reason: 'few' }] })
recorder.scans(ctx.storage.sql, { allow: [{ sql: /^select/, reason: 'few' }] })

// @ts-expect-error -- an entry that would allow everything
recorder.scans(ctx.storage.sql, { allow: [{ reason: 'few' }] })
// @ts-expect-error -- an entry without a reason
recorder.scans(ctx.storage.sql, { allow: [{ table: 'person' }] })
// @ts-expect-error -- not the SQL storage
explain(ctx.storage, query)
