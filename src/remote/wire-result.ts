import type { CompiledQuery, QueryResult } from 'kysely'
import { toDurableObjectSqliteError } from '../platform/errors.js'
import { mapWithIndex } from '../platform/map-with-index.js'
import type { SqlStorageValue } from '../platform/storage.js'
import { planOf } from '../statement/query-columns.js'
import { rowReader } from '../statement/rows.js'
import { RawRow } from './raw-row.js'
import { fromWireError, toWireError, type WireError } from './wire-error.js'

/** The rows of a result, column by column: the values of each column, in the order of the names. */
interface WireRows {
  readonly names: readonly string[]
  readonly columns: readonly (readonly SqlStorageValue[])[]
}

/** What a statement without result columns did. */
interface WireChanges {
  readonly numAffectedRows: bigint
  readonly insertId?: bigint
}

/**
 * The result of a query on its way to the Worker. Columns are the cheapest form to send and to make
 * rows of again that keeps every value as it is: `npm run bench -- remote-rows`.
 */
export type WireResult = WireRows | WireChanges

/** What the object answers to whatever it is asked: errors are answers, too. */
export type WireReply<T> = { readonly ok: T } | { readonly error: WireError }

const NO_ROWS: WireRows = { names: [], columns: [] }

/** The result as the object's own dialect has it, to be sent. */
export function toWireResult(result: QueryResult<unknown>): WireResult {
  const { numAffectedRows, insertId } = result
  if (numAffectedRows !== undefined) {
    return insertId === undefined ? { numAffectedRows } : { numAffectedRows, insertId }
  }
  const [first] = result.rows
  if (first === undefined) {
    return NO_ROWS
  }
  if (!(first instanceof RawRow)) {
    // What the dialect answers itself, as `pragma database_list`.
    const rows = result.rows as readonly Record<string, SqlStorageValue>[]
    const names = Object.keys(first as object)
    return { names, columns: names.map((name) => rows.map((row) => row[name]!)) }
  }
  const rows = result.rows as readonly RawRow[]
  const { names } = first
  return { names, columns: names.map((_, column) => rows.map(({ values }) => values[column]!)) }
}

/** What to answer for what the function returns or throws. */
export async function toWireReply<T>(
  run: () => Promise<T>,
  isReadOnly?: boolean,
): Promise<WireReply<T>> {
  try {
    return { ok: await run() }
  } catch (error) {
    return { error: toWireError(error, isReadOnly) }
  }
}

/** The result as Kysely wants it. Throws for a value that the codec of its column cannot take. */
export function fromWireResult<R>(result: WireResult, query: CompiledQuery): QueryResult<R> {
  try {
    return readResult(result, query)
  } catch (error) {
    throw toDurableObjectSqliteError(error, query.sql)
  }
}

/** The results of a batch. The error of one has its index. */
export function fromWireResults(
  results: readonly WireResult[],
  queries: readonly CompiledQuery[],
): QueryResult<unknown>[] {
  return mapWithIndex(results, (result, i) => fromWireResult(result, queries[i]!))
}

function readResult<R>(result: WireResult, query: CompiledQuery): QueryResult<R> {
  if (!('columns' in result)) {
    return { rows: [], ...result }
  }
  const { names, columns } = result
  const readRow = (planOf(query)?.rowReader ?? rowReader)(names)
  const values: SqlStorageValue[] = []
  const rows = (columns[0] ?? []).map((_, row) => {
    for (let column = 0; column < columns.length; column++) {
      values[column] = columns[column]![row]!
    }
    return readRow(values)
  })
  // SQLite alone knows the type of the rows; Kysely's types state it.
  return { rows: rows as R[] }
}

/** What was answered. Throws the error that was. */
export function fromWireReply<T>(reply: WireReply<T>): T {
  if ('error' in reply) {
    throw fromWireError(reply.error)
  }
  return reply.ok
}
