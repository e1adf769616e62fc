/** A piece of SQL that is neither white space nor a comment. */
export interface Token {
  readonly kind: 'word' | 'quoted-name' | 'string' | 'number' | 'blob' | 'symbol'
  /** A word or symbol in lower case, a quoted name or string without its quotes, else as written. */
  readonly value: string
  /** As in the SQL text. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/**
 * The tokens of SQLite: https://github.com/sqlite/sqlite/blob/master/src/tokenize.c. Every character
 * beyond ASCII belongs to a name, even one that JavaScript takes for white space.
 */
function tokenPattern(): RegExp {
  return new RegExp(
    [
      String.raw`(?<skipped>[ \t\n\f\r]+|--[^\n]*|/\*[^]*?(?:\*/|$))`,
      String.raw`(?<blob>[xX]'[^']*')`,
      String.raw`(?<string>'(?:[^']|'')*')`,
      '(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\\[[^\\]]*\\])',
      String.raw`(?<number>0[xX][\da-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)`,
      String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
      '(?<symbol>[^])',
    ].join('|'),
    'gy',
  )
}

/** Splits a statement that SQLite has accepted into its tokens. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  for (const { 0: text, index: start, groups = {} } of sql.matchAll(tokenPattern())) {
    if (groups['skipped'] === undefined) {
      tokens.push({ ...classify(text, groups), text, start, end: start + text.length })
    }
  }
  return tokens
}

function classify(
  text: string,
  groups: Record<string, string | undefined>,
): Pick<Token, 'kind' | 'value'> {
  if (groups['word'] !== undefined) {
    return { kind: 'word', value: foldName(text) }
  }
  if (groups['quoted'] !== undefined) {
    return { kind: 'quoted-name', value: unquote(text) }
  }
  if (groups['string'] !== undefined) {
    return { kind: 'string', value: unquote(text) }
  }
  if (groups['number'] !== undefined) {
    return { kind: 'number', value: text }
  }
  if (groups['blob'] !== undefined) {
    return { kind: 'blob', value: text }
  }
  return { kind: 'symbol', value: text }
}

function unquote(text: string): string {
  const quote = text.at(-1)!
  return text.slice(1, -1).replaceAll(quote + quote, quote)
}

/** Whether the token is this keyword or symbol, and no quoted name. */
export function is(token: Token | undefined, value: string): boolean {
  return token?.value === value && (token.kind === 'word' || token.kind === 'symbol')
}

/** The index of the parenthesis that closes the one at `open`. */
export function closingParenthesis(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (is(tokens[i], '(')) {
      depth++
    } else if (is(tokens[i], ')') && --depth === 0) {
      return i
    }
  }
  return tokens.length
}

/** A name as SQLite compares names: without regard to case, in ASCII alone. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
