import type { QueryResult } from 'kysely'
import type { SqlStorageCursor, SqlStorageValue } from '../platform/storage.js'

/** Reads the values of one row, in the order of the columns, into an object. */
export type RowReader = (values: readonly SqlStorageValue[]) => Record<string, unknown>

/**
 * All the rows that the cursor has left, which closes it.
 *
 * `cursor.toArray()` sets each property from C++; setting them here takes half the time for many rows,
 * and no more for one of several columns: `npm run bench -- reading`.
 */
export function readRows(
  cursor: SqlStorageCursor,
  columnNames: readonly string[],
  reader: (columnNames: readonly string[]) => RowReader = rowReader,
): Record<string, unknown>[] {
  return readValues(cursor).map(reader(columnNames))
}

/** The values of all the rows that the cursor has left, which closes it. */
export function readValues(cursor: SqlStorageCursor): SqlStorageValue[][] {
  const raw = cursor.raw()
  return raw.toArray?.() ?? [...raw]
}

/**
 * A reader of rows with these columns. BLOBs become `Uint8Array`; of two columns with one name the
 * last wins, as in `cursor.toArray()`.
 */
export function rowReader(columnNames: readonly string[]): RowReader {
  return columnNames.includes('__proto__')
    ? (values) => readRowSafely(columnNames, values)
    : (values) => readRow(columnNames, values)
}

function readRow(
  columnNames: readonly string[],
  values: readonly SqlStorageValue[],
): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let i = 0; i < columnNames.length; i++) {
    row[columnNames[i]!] = readValue(values[i]!)
  }
  return row
}

/** Assigning to `__proto__` would set the prototype of the row, so each property is defined. */
function readRowSafely(
  columnNames: readonly string[],
  values: readonly SqlStorageValue[],
): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let i = 0; i < columnNames.length; i++) {
    Object.defineProperty(row, columnNames[i]!, {
      value: readValue(values[i]!),
      configurable: true,
      enumerable: true,
      writable: true,
    })
  }
  return row
}

/** A value as it is without a codec: a BLOB as `Uint8Array`. */
export function readValue(value: SqlStorageValue): string | number | null | Uint8Array {
  return typeof value === 'object' && value !== null ? new Uint8Array(value) : value
}

/**
 * Closes a cursor that may have rows left. It has no `close()`; `one()` on a cursor with rows left
 * closes it and throws. An open cursor makes `drop table` fail and `exec` compile the same text anew.
 */
export function closeCursor(cursor: SqlStorageCursor): void {
  try {
    cursor.one()
  } catch {
    // Thrown whatever the number of rows left, unless it was one.
  }
}

/** Results of this many rows each, read from the values as they are asked for. */
export function* inChunks<R>(
  values: Iterable<SqlStorageValue[]>,
  readRow: RowReader,
  chunkSize: number,
): Generator<QueryResult<R>, void> {
  let rows: Record<string, unknown>[] = []
  for (const value of values) {
    rows.push(readRow(value))
    if (rows.length === chunkSize) {
      yield { rows } as QueryResult<R>
      rows = []
    }
  }
  if (rows.length > 0) {
    yield { rows } as QueryResult<R>
  }
}
