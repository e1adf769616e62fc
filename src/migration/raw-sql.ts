import type { SqlStorage, SqlStorageValue } from '../platform/storage.js'

/** The rows of a query as arrays, of the types that the caller knows the query to return. */
export function read<Row extends readonly SqlStorageValue[]>(
  sql: SqlStorage,
  query: string,
  ...bindings: readonly unknown[]
): Row[] {
  return [...sql.exec(query, ...bindings).raw()] as unknown[] as Row[]
}

/** An identifier in backticks: in double quotes an unknown one would be a string. */
export function quote(identifier: string): string {
  return `\`${identifier.replaceAll('`', '``')}\``
}
