import {
  AliasNode,
  TableNode,
  ValueNode,
  ValuesNode,
  type CompiledQuery,
  type OperationNode,
} from 'kysely'
import type { SqlStorageCursor } from '../platform/storage.js'
import { readValues } from './rows.js'

/** An insert or update of several rows, of which the first may be good and a later one not. */
export interface ChangeOfSeveralRows {
  /** Empty where the query does not tell. */
  readonly table: string
  /** `or …` or `on conflict …`. */
  readonly hasConflictClause: boolean
}

/**
 * What the query changes, if it is an insert of several rows or an update that sets them to different
 * values: one that SQLite refuses for what it sets is refused at its first row. Undefined for all
 * others, and for a query that is no node of Kysely's.
 */
export function changesOfSeveralRows(
  query: CompiledQuery['query'] | undefined,
): ChangeOfSeveralRows | undefined {
  switch (query?.kind) {
    case 'InsertQueryNode': {
      const { into, values, onConflict, orAction, replace } = query
      if (values === undefined || (ValuesNode.is(values) && values.values.length === 1)) {
        return undefined
      }
      return {
        table: nameOf(into),
        hasConflictClause: onConflict !== undefined || orAction !== undefined || replace === true,
      }
    }
    case 'UpdateQueryNode':
      return query.updates?.every(({ value }) => ValueNode.is(value)) === true
        ? undefined
        : { table: nameOf(query.table), hasConflictClause: false }
    default:
      return undefined
  }
}

function nameOf(node: OperationNode | undefined): string {
  if (node !== undefined && AliasNode.is(node)) {
    return nameOf(node.node)
  }
  return node !== undefined && TableNode.is(node) ? node.table.identifier.name : ''
}

/**
 * The cursor with its rows read, so that the statement has ended: SQLite releases no savepoint while a
 * statement writes.
 */
export function readToEnd(cursor: SqlStorageCursor): SqlStorageCursor {
  const { columnNames } = cursor
  if (columnNames.length === 0) {
    return cursor
  }
  const values = readValues(cursor)
  return {
    columnNames,
    rowsRead: cursor.rowsRead,
    rowsWritten: cursor.rowsWritten,
    raw: () => values.values(),
    one: () => cursor.one(),
  }
}
