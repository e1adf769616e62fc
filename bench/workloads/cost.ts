import { Kysely } from 'kysely'
import {
  DurableObjectSqliteDialect,
  type DurableObjectSqliteDialectConfig,
  type QueryParameters,
} from 'kysely-durable-sqlite'
import { QueryBudget, QueryRecorder } from 'kysely-durable-sqlite/cost'
import { syncExecutor } from '../clients.ts'
import { fillPerson, type Database } from '../schema.ts'
import type { Operation, Workload } from '../workload.ts'

function open(
  storage: DurableObjectStorage,
  config?: DurableObjectSqliteDialectConfig,
): Kysely<Database> {
  return new Kysely({ dialect: new DurableObjectSqliteDialect(storage, config) })
}

function prepared(db: Kysely<Database>, storage: DurableObjectStorage): Operation {
  const select = syncExecutor(db, storage).prepare((param: QueryParameters<{ id: number }>) =>
    db.selectFrom('person').select(['id', 'name', 'email', 'age']).where('id', '=', param('id')),
  )
  return (i) => select.executeTakeFirst({ id: 1 + (i % 1000) })
}

/** What it takes to record queries and to count them. */
export default {
  title: 'select by key, prepared, its cost counted',
  order: 200,
  operations: 4000,
  onlyByName: true,
  setup: fillPerson,
  variants: {
    prepared: (storage) => prepared(open(storage), storage),
    'a recorder': (storage) =>
      prepared(open(storage, { onQuery: new QueryRecorder().onQuery }), storage),
    'a meter': (storage) =>
      prepared(new QueryBudget({ rowsRead: 1e9 }).meter(open(storage)).db, storage),
    'a meter, and the budget told': (storage) => {
      const budget = new QueryBudget({ rowsRead: 1e9 })
      return prepared(budget.meter(open(storage, { onQuery: budget.onQuery })).db, storage)
    },
    'a recorder and a meter': (storage) =>
      prepared(
        new QueryBudget({ rowsRead: 1e9 }).meter(
          open(storage, { onQuery: new QueryRecorder().onQuery }),
        ).db,
        storage,
      ),
  },
} satisfies Workload
