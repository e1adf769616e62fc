import type {
  CompiledQuery,
  PrimitiveValueListNode,
  QueryId,
  RootOperationNode,
  ValuesNode,
} from 'kysely'
import { BaseQueryCompiler } from './base-query-compiler.js'
import { compileToJsonParameters } from './json-query-compiler.js'
import { findRowFunction, type RowFunction } from './row-function.js'
import { MAX_PARAMETERS } from '../platform/limits.js'
import type { SqlStorage } from '../platform/storage.js'
import { readValues } from '../statement/rows.js'
import type { ColumnsCompiler, DurableObjectSqliteColumns } from '../statement/query-columns.js'

/** Without the hidden columns of virtual tables, which `*` leaves out too. */
const COLUMNS = 'select name from pragma_table_xinfo(?) where hidden <> 1'

/**
 * Compiles queries to SQL for SQLite in a Durable Object. The dialects create it.
 *
 * A query that would bind more than 100 parameters is compiled a second time, to SQL that takes its
 * values out of JSON texts. The results are the same.
 *
 * Compiling throws `ERR_EMPTY_LIST` where SQL needs rows, columns or values and there are none. For a
 * query of more than 100 parameters it also throws
 *
 * - `ERR_UNSUPPORTED_PARAMETER` for a value that cannot be bound, and
 * - `ERR_TOO_MANY_PARAMETERS` if the values do not fit in 100 JSON texts of the size that the platform
 *   allows.
 *
 * ### Examples
 *
 * ```ts
 * const ids = Array.from({ length: 1000 }, (_, index) => index + 1)
 * await db.selectFrom('person').selectAll().where('id', 'in', ids).execute()
 * ```
 *
 * The generated SQL for more than 100 ids:
 *
 * ```sql
 * select * from `person` where `id` in (select +value from json_each(?))
 * ```
 */
export class DurableObjectSqliteQueryCompiler extends BaseQueryCompiler {
  readonly #sql: SqlStorage | undefined
  readonly #columns: DurableObjectSqliteColumns | undefined
  #rowFunction: RowFunction | undefined

  /**
   * `sql` is asked which JSON functions it has, when a query needs to know. `columns` are those of the
   * dialect. Both are optional.
   */
  constructor(sql?: SqlStorage, columns?: DurableObjectSqliteColumns) {
    super()
    this.#sql = sql
    this.#columns = columns
  }

  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    return this.#columns === undefined
      ? this.#compile(node, queryId)
      : this.#columns.compile(node, this.#columnsCompiler(queryId))
  }

  #compile(
    node: RootOperationNode,
    queryId: QueryId,
    withoutLateValues?: () => RootOperationNode,
  ): CompiledQuery {
    const query = super.compileQuery(node, queryId)
    if (query.parameters.length <= MAX_PARAMETERS) {
      return query
    }
    this.#rowFunction ??= findRowFunction(this.#sql)
    return compileToJsonParameters(withoutLateValues?.() ?? node, queryId, this.#rowFunction)
  }

  #columnsCompiler(queryId: QueryId): ColumnsCompiler {
    return {
      compile: (node, withoutLateValues) => this.#compile(node, queryId, withoutLateValues),
      columnsOf: (table) => {
        const rows = this.#sql && readValues(this.#sql.exec(COLUMNS, table))
        return rows?.length ? rows.map(([name]) => name as string) : undefined
      },
    }
  }

  // What this pass compiles beyond the limit is thrown away.

  protected override visitValues({ values }: ValuesNode): void {
    let separator = 'values '
    for (const row of values) {
      if (this.numParameters > MAX_PARAMETERS) {
        return
      }
      this.append(separator)
      this.visitNode(row)
      separator = ', '
    }
  }

  protected override visitPrimitiveValueList(node: PrimitiveValueListNode): void {
    if (this.numParameters <= MAX_PARAMETERS) {
      super.visitPrimitiveValueList(node)
    }
  }
}
