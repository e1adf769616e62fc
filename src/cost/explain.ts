import type { Compilable, CompiledQuery } from 'kysely'
import { read } from '../migration/raw-sql.js'
import { DurableObjectSqliteError, toDurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { toSqliteParameters } from '../statement/parameters.js'
import { type ExplainRow, toPrograms } from './instructions.js'
import { oneStatement } from './one-statement.js'
import type { QueryPlan } from './query-plan.js'
import type { PlanRow } from './plan-lines.js'
import { readPlan } from './read-plan.js'
import { SchemaNames } from './schema-names.js'

/**
 * Returns how SQLite would run a query: which tables it would read, with which indexes, and what it
 * would write.
 *
 * The plan comes from SQLite's `explain query plan` and `explain`, with the names of tables and indexes
 * as in the schema. The query does not run. All that is read is `sqlite_schema`: one row for each table
 * and index. The values of the parameters are bound, since the plan of a `like` depends on them.
 *
 * Throws `ERR_INVALID_STORAGE` for anything but `ctx.storage.sql`. Throws `ERR_SEVERAL_STATEMENTS` for
 * a SQL text of more than one statement, `ERR_NO_STATEMENT` for a text without one, and SQLite's error
 * for a statement that SQLite refuses.
 *
 * https://www.sqlite.org/eqp.html
 *
 * ### Examples
 *
 * ```ts
 * import { explain } from 'kysely-durable-sqlite/cost'
 *
 * const query = db.selectFrom('person').selectAll().where('name', '=', 'Ada')
 * const { steps } = explain(ctx.storage.sql, query)
 * // [{ detail: 'SCAN person', table: 'person', access: 'scan' }]
 * ```
 */
export function explain(sql: SqlStorage, query: CompiledQuery | Compilable): QueryPlan {
  if (typeof (sql as Partial<SqlStorage> | undefined)?.exec !== 'function') {
    throw new DurableObjectSqliteError(
      'ERR_INVALID_STORAGE',
      'Pass the SQL storage of the Durable Object: explain(ctx.storage.sql, query).',
    )
  }
  const compiled = 'compile' in query ? query.compile() : query
  const statement = oneStatement(compiled.sql)
  const parameters = toSqliteParameters(compiled.parameters, compiled)
  try {
    const rows = read<ExplainRow>(sql, `explain ${statement}`, ...parameters)
    const plan = read<PlanRow>(sql, `explain query plan ${statement}`, ...parameters)
    return readPlan(toPrograms(rows), plan, new SchemaNames(sql))
  } catch (error) {
    throw toDurableObjectSqliteError(error, compiled.sql)
  }
}
