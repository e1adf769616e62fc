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

/** A `create virtual table … using module(…)`. */
export interface VirtualTableDefinition {
  /** In lower case. */
  readonly module: string
  /** The arguments, each as its tokens. */
  readonly arguments: readonly (readonly Token[])[]
}

export function readVirtualTable(sql: string): VirtualTableDefinition {
  const tokens = tokenize(sql)
  const using = tokens.findIndex((token) => is(token, 'using'))
  const open = using + 2
  const args: Token[][] = []
  for (const token of tokens.slice(open, closingParenthesis(tokens, open))) {
    if (is(token, '(') || is(token, ',')) {
      args.push([])
    } else {
      args.at(-1)?.push(token)
    }
  }
  return { module: foldName(tokens[using + 1]!.value), arguments: args }
}

/**
 * The folded names of the columns that FTS5 indexes, and whose values are texts to it.
 *
 * https://www.sqlite.org/fts5.html#the_unindexed_column_option
 */
export function readFts5Columns({ arguments: args }: VirtualTableDefinition): ReadonlySet<string> {
  return new Set(
    args
      .filter(([, second]) => !is(second, '=') && !is(second, 'unindexed'))
      .flatMap(([name]) => (name === undefined ? [] : [foldName(name.value)])),
  )
}
