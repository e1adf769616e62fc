import type { QueryPlan } from '../statement/query-columns.js'
import type { SqlStorageValue } from '../platform/storage.js'

/** A row as SQLite gives it: the Worker knows what its columns mean, of which two may have one name. */
export class RawRow {
  readonly names: readonly string[]
  readonly values: readonly SqlStorageValue[]

  constructor(names: readonly string[], values: readonly SqlStorageValue[]) {
    this.names = names
    this.values = values
  }
}

/** Reads the rows of a query that came from a Worker, where its values have been bound. */
export const RAW_ROWS: QueryPlan = {
  bind: (query, parameters) => ({ query, parameters }),
  rowReader: (names) => (values) => new RawRow(names, values) as unknown as Record<string, unknown>,
  isForOneExecution: false,
}
