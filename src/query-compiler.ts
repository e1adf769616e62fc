import type {
  CompiledQuery,
  PrimitiveValueListNode,
  QueryId,
  RootOperationNode,
  ValuesNode,
} from 'kysely'
import { BaseQueryCompiler } from './compiler/base-query-compiler.js'
import { compileToJsonParameters } from './compiler/json-query-compiler.js'
import { MAX_PARAMETERS } from './limits.js'

/**
 * Compiles queries to the SQL of SQLite in a Durable Object.
 *
 * A query that would bind more than 100 parameters is compiled a second time, to SQL that takes its
 * values out of JSON texts. It has the same results. Compiling throws `ERR_UNSUPPORTED_PARAMETER` for
 * a value that would be refused when it is bound, and `ERR_TOO_MANY_PARAMETERS` where even JSON texts
 * of the size that the platform takes are more than 100.
 *
 * ### Examples
 *
 * ```ts
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
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    const query = super.compileQuery(node, queryId)
    return query.parameters.length > MAX_PARAMETERS ? compileToJsonParameters(node, queryId) : query
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
