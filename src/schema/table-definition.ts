import { closingParenthesis, foldName, is, tokenize, type Token } from './sql-tokens.js'

/** What the text of `create table` says and no pragma tells. */
export interface TableDefinition {
  /** The expressions of the CHECK constraints, as written. */
  readonly checks: readonly string[]
  /** The collations that columns name, by the folded name of the column. */
  readonly collations: ReadonlyMap<string, string>
}

const TABLE_CONSTRAINTS = new Set(['constraint', 'primary', 'unique', 'check', 'foreign'])

/**
 * Reads `create table`, as SQLite keeps it in its schema.
 *
 * https://www.sqlite.org/lang_createtable.html
 */
export function readTableDefinition(sql: string): TableDefinition {
  const tokens = tokenize(sql)
  const open = tokens.findIndex((token) => is(token, '('))
  const close = closingParenthesis(tokens, open)
  const checks: string[] = []
  const collations = new Map<string, string>()
  let column: string | undefined
  for (let i = open + 1; i < close; i++) {
    const token = tokens[i]!
    if (i === open + 1 || is(tokens[i - 1], ',')) {
      column = startsTableConstraint(token) ? undefined : foldName(token.value)
    } else if (is(token, 'collate') && column !== undefined) {
      collations.set(column, foldName(tokens[i + 1]!.value).toUpperCase())
    }
    if (is(token, '(')) {
      const end = closingParenthesis(tokens, i)
      if (is(tokens[i - 1], 'check')) {
        checks.push(sql.slice(token.end, tokens[end]!.start).trim())
      }
      i = end
    }
  }
  return { checks, collations }
}

function startsTableConstraint({ kind, value }: Token): boolean {
  return kind === 'word' && TABLE_CONSTRAINTS.has(value)
}

/** The module of a `create virtual table … using module(…)`, in lower case. */
export function readVirtualTableModule(sql: string): string {
  const tokens = tokenize(sql)
  const using = tokens.findIndex((token) => is(token, 'using'))
  return foldName(tokens[using + 1]!.value)
}
