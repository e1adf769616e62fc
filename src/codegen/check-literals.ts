import { closingParenthesis, foldName, is, tokenize, type Token } from '../schema/sql-tokens.js'

/** A value that a CHECK constraint names: `'open'` or `1`. */
export type Literal = string | number

/** The literals to which columns are limited, NULL aside, by the folded name of the column. */
type Limits = ReadonlyMap<string, readonly Literal[]>

const NO_LIMITS: Limits = new Map()

/**
 * The literals to which a CHECK constraint limits columns, by their folded names:
 * `status in ('open', 'done') and (level = 1 or level = 2)`. A CHECK holds for NULL, too.
 */
export function readLimits(check: string, columnNames: readonly string[]): Limits {
  const columns = new Set(columnNames.map(foldName))
  // SQLite takes a bare `end` for such a column or for the end of a `case`, which is not told apart here.
  return columns.has('end') ? NO_LIMITS : limitsOf(tokenize(check), columns)
}

/**
 * The folded names of the columns that a CHECK constraint holds to be JSON texts, NULL aside:
 * `json_valid(a) and (b is null or json_valid(b))`.
 */
export function readJsonColumns(check: string, columnNames: readonly string[]): readonly string[] {
  const columns = new Set(columnNames.map(foldName))
  return columns.has('end') ? [] : jsonColumnsOf(tokenize(check), columns)
}

function jsonColumnsOf(tokens: readonly Token[], columns: ReadonlySet<string>): readonly string[] {
  if (isParenthesized(tokens)) {
    return jsonColumnsOf(tokens.slice(1, -1), columns)
  }
  const alternatives = split(tokens, 'or')
  if (alternatives.length > 1) {
    const [column, ...others] = [
      ...new Set(alternatives.flatMap((part) => jsonColumnOf(part, columns) ?? nullColumnOf(part))),
    ]
    return column === undefined || column === '' || others.length > 0 || alternatives.every(isNullCheck)
      ? []
      : [column]
  }
  const conditions = split(tokens, 'and')
  if (conditions.length > 1) {
    return conditions.flatMap((part) => jsonColumnsOf(part, columns))
  }
  return jsonColumnOf(tokens, columns) ?? []
}

/** `json_valid(column)`, also with `= 1`, and with the flags that mean text. */
function jsonColumnOf(
  tokens: readonly Token[],
  columns: ReadonlySet<string>,
): [column: string] | undefined {
  const [name, open, column, ...rest] = tokens
  const end = rest.map(({ text }) => text).join('')
  return is(name, 'json_valid') &&
    is(open, '(') &&
    column !== undefined &&
    isColumn(column, columns) &&
    /^(?:,[13])?\)(?:={1,2}1)?$/.test(end)
    ? [foldName(column.value)]
    : undefined
}

/** What is no `column is null` is no column either. */
function nullColumnOf(tokens: readonly Token[]): [column: string] {
  return [isNullCheck(tokens) ? foldName(tokens[0]!.value) : '']
}

function isNullCheck([column, operator, value, ...rest]: readonly Token[]): boolean {
  return column !== undefined && is(operator, 'is') && is(value, 'null') && rest.length === 0
}

function isParenthesized(tokens: readonly Token[]): boolean {
  return is(tokens[0], '(') && closingParenthesis(tokens, 0) === tokens.length - 1
}

function limitsOf(tokens: readonly Token[], columns: ReadonlySet<string>): Limits {
  if (isParenthesized(tokens)) {
    return limitsOf(tokens.slice(1, -1), columns)
  }
  const alternatives = split(tokens, 'or')
  if (alternatives.length > 1) {
    return alternatives.map((part) => limitsOf(part, columns)).reduce(either)
  }
  const conditions = split(tokens, 'and')
  if (conditions.length > 1) {
    return new Map(conditions.flatMap((part) => [...limitsOf(part, columns)]))
  }
  return limitsOfComparison(tokens, columns)
}

/** What is limited by one and by the other. */
function either(one: Limits, other: Limits): Limits {
  const limits = new Map<string, readonly Literal[]>()
  for (const [column, literals] of one) {
    const others = other.get(column)
    if (others !== undefined) {
      limits.set(column, [...new Set([...literals, ...others])])
    }
  }
  return limits
}

/** Splits at the operator, outside parentheses, `case … end` and `between … and …`. */
function split(tokens: readonly Token[], operator: 'and' | 'or'): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  let betweens = 0
  for (const token of tokens) {
    if (is(token, '(') || is(token, 'case')) {
      depth++
    } else if (is(token, ')') || is(token, 'end')) {
      depth--
    } else if (depth === 0 && is(token, 'between')) {
      betweens++
    } else if (depth === 0 && is(token, 'and') && betweens > 0) {
      betweens--
    } else if (depth === 0 && is(token, operator)) {
      parts.push([])
      continue
    }
    parts.at(-1)!.push(token)
  }
  return parts
}

/** `column in (…)`, `column = …` or `column is null`. */
function limitsOfComparison(
  [first, ...rest]: readonly Token[],
  columns: ReadonlySet<string>,
): Limits {
  if (first === undefined || !isColumn(first, columns)) {
    return NO_LIMITS
  }
  const literals = literalsOf(rest, columns)
  return literals === undefined ? NO_LIMITS : new Map([[foldName(first.value), literals]])
}

function literalsOf(
  tokens: readonly Token[],
  columns: ReadonlySet<string>,
): readonly Literal[] | undefined {
  const [operator, second, third] = tokens
  if (is(operator, 'is') && is(second, 'null') && third === undefined) {
    return []
  }
  if (is(operator, 'in') && is(second, '(') && is(tokens.at(-1), ')')) {
    return readList(tokens.slice(2, -1), columns)
  }
  if (is(operator, '=')) {
    return readList(tokens.slice(is(second, '=') ? 2 : 1), columns, 1)
  }
  return undefined
}

/** Undefined if there is anything but literals: an expression, or NULL, with which all may be true. */
function readList(
  tokens: readonly Token[],
  columns: ReadonlySet<string>,
  maxLength = Infinity,
): readonly Literal[] | undefined {
  const literals: Literal[] = []
  let item: Token[] = []
  for (const token of [...tokens, undefined]) {
    if (token !== undefined && !is(token, ',')) {
      item.push(token)
      continue
    }
    const literal = readLiteral(item, columns)
    if (literal === undefined) {
      return undefined
    }
    literals.push(literal)
    item = []
  }
  return literals.length <= maxLength ? literals : undefined
}

function readLiteral(tokens: readonly Token[], columns: ReadonlySet<string>): Literal | undefined {
  const [first, second, third] = tokens
  if (first === undefined || third !== undefined) {
    return undefined
  }
  if (second !== undefined) {
    const isSigned = second.kind === 'number' && (is(first, '-') || is(first, '+'))
    return isSigned ? readNumber(first.text + second.text) : undefined
  }
  switch (first.kind) {
    case 'string':
      return first.value
    case 'number':
      return readNumber(first.text)
    case 'quoted-name':
      // SQLite takes "text" for a string where no column has that name.
      return first.text.startsWith('"') && !isColumn(first, columns) ? first.value : undefined
    case 'word':
      return isColumn(first, columns) ? undefined : BOOLEANS.get(first.value)
    default:
      return undefined
  }
}

const BOOLEANS: ReadonlyMap<string, number> = new Map([
  ['true', 1],
  ['false', 0],
])

/** Undefined for a number that JavaScript cannot have exactly. */
function readNumber(text: string): number | undefined {
  const digits = text.replaceAll('_', '').replace(/^\+/, '')
  const number = Number(digits) + 0
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined
}

function isColumn({ kind, value }: Token, columns: ReadonlySet<string>): boolean {
  return (kind === 'word' || kind === 'quoted-name') && columns.has(foldName(value))
}
