import { describeValue } from './values.js'

/** What a query does: its rows, and what it leaves in the table, or its error. */
export type Outcome =
  | { readonly rows: readonly string[]; readonly left?: readonly string[] }
  | { readonly error: string }

export function describeRows(rows: readonly object[]): string[] {
  return rows.map((row) => Object.values(row).map(describeValue).join(', '))
}

/** SQLite's message, without what the platform adds to it. */
export function describeError(error: unknown): Outcome {
  if (!(error instanceof Error)) {
    throw error
  }
  return {
    error: error.message
      .replace(/: SQLITE_\w+( \(extended: \w+\))?$/, '')
      .replace(/ at offset \d+/, ''),
  }
}

/** What one object says about one query. */
export interface Answer {
  readonly sql: string
  readonly outcomes: Readonly<Record<string, Outcome>>
}
