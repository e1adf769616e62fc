import type { SqlStorage } from '../platform/storage.js'

/**
 * What reads rows out of a JSON text. A row, which is an array, comes out of `json_each` as text, to
 * be parsed again for each column that is read, and out of `jsonb_each` parsed.
 *
 * https://www.sqlite.org/json1.html#jeach
 */
export type RowFunction = 'json_each' | 'jsonb_each'

/** The better one that SQLite has: `jsonb_each` came with version 3.51, which cannot be asked for. */
export function findRowFunction(sql: SqlStorage | undefined): RowFunction {
  try {
    sql?.exec("select value from jsonb_each('[]')")
    return sql === undefined ? 'json_each' : 'jsonb_each'
  } catch {
    return 'json_each'
  }
}
