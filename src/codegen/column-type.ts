import type { Literal } from './check-literals.js'
import { foldName, is, tokenize } from '../schema/sql-tokens.js'
import type { ColumnInfo, TableSchema } from '../schema/introspect-schema.js'
import { quote } from './identifier.js'

export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC'

type ValueType = 'string' | 'number' | 'Uint8Array'

const ANY_VALUE: readonly ValueType[] = ['string', 'number', 'Uint8Array']

/** Declared types of NUMERIC affinity that are known to be meant for numbers. */
const NUMBER_TYPE = /^(?:num|numeric|number|dec|decimal|bool|boolean)\b/

/** Declared types of NUMERIC affinity that hold a text (`current_timestamp`) or a number. */
const TIME_TYPE = /^(?:date|time)/

/** What is read from a column, and what can be written to it as well; NULL aside. */
export interface ColumnTypes {
  readonly read: readonly string[]
  /** What the dialect stores so that it is read as one of `read`: a bigint, a boolean, an ArrayBuffer. */
  readonly alsoWritten: readonly string[]
}

/** @param literals what a CHECK constraint limits the column to */
export function columnTypes(
  column: ColumnInfo,
  table: TableSchema,
  literals: readonly Literal[] | undefined,
): ColumnTypes {
  const limited = literalTypes(column, literals)
  if (limited !== undefined) {
    return { read: limited, alsoWritten: [] }
  }
  const read = valueTypes(column, table)
  const alsoWritten: string[] = []
  if (isDeclaredBoolean(column)) {
    alsoWritten.push('boolean')
  } else if (affinityOf(foldName(column.declaredType)) === 'INTEGER') {
    alsoWritten.push('bigint')
  }
  if (read.includes('Uint8Array') && read.length < ANY_VALUE.length) {
    alsoWritten.push('ArrayBuffer')
  }
  return { read, alsoWritten }
}

/** `boolean` and `bool`, which to SQLite are NUMERIC. */
export function isDeclaredBoolean({ declaredType }: ColumnInfo): boolean {
  return /^bool(?:ean)?$/i.test(declaredType)
}

/** Whether a CHECK limits the column to 0 and 1, and its affinity lets it be so. */
export function isLimitedToBits(
  column: ColumnInfo,
  literals: readonly Literal[] | undefined,
): boolean {
  const types = literalTypes(column, literals)
  return types?.length === 2 && types.includes('0') && types.includes('1')
}

/** Whether SQLite has a value for the column where an insert has none. */
export function hasGeneratedValue({ autoIncrement, defaultValue }: ColumnInfo): boolean {
  return autoIncrement || (defaultValue !== null && !isNull(defaultValue))
}

function valueTypes(column: ColumnInfo, table: TableSchema): readonly ValueType[] {
  const declared = declaredTypes(column, table)
  const ofDefault = table.strict ? undefined : defaultType(column)
  return ofDefault === undefined || declared.includes(ofDefault)
    ? declared
    : ANY_VALUE.filter((type) => type === ofDefault || declared.includes(type))
}

function declaredTypes({ declaredType }: ColumnInfo, { kind }: TableSchema): readonly ValueType[] {
  const type = foldName(declaredType)
  switch (affinityOf(type)) {
    case 'INTEGER':
    case 'REAL':
      return ['number']
    case 'TEXT':
      return ['string']
    case 'BLOB':
      // In a view BLOB stands for any expression without an affinity.
      return type === '' || kind === 'view' ? ANY_VALUE : ['Uint8Array']
    case 'NUMERIC':
      if (NUMBER_TYPE.test(type)) {
        return ['number']
      }
      return TIME_TYPE.test(type) ? ['string', 'number'] : ANY_VALUE
  }
}

/**
 * SQLite's five steps, in its order: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
 *
 * @param type the declared type, in lower case
 */
export function affinityOf(type: string): Affinity {
  if (type.includes('int')) {
    return 'INTEGER'
  }
  if (/char|clob|text/.test(type)) {
    return 'TEXT'
  }
  if (type === '' || type.includes('blob')) {
    return 'BLOB'
  }
  return /real|floa|doub/.test(type) ? 'REAL' : 'NUMERIC'
}

/**
 * The type of the value that a literal DEFAULT leaves in the column, which SQLite does not hold to
 * the declared type; undefined for an expression.
 */
function defaultType({ declaredType, defaultValue }: ColumnInfo): ValueType | undefined {
  const tokens = defaultValue === null ? [] : tokenize(defaultValue)
  const [first, second] = is(tokens[0], '-') || is(tokens[0], '+') ? tokens.slice(1) : tokens
  if (first === undefined || second !== undefined || is(first, 'null')) {
    return undefined
  }
  if (first.kind === 'blob') {
    return 'Uint8Array'
  }
  const isNumber = first.kind === 'number' || is(first, 'true') || is(first, 'false')
  switch (affinityOf(foldName(declaredType))) {
    case 'TEXT':
      return 'string'
    case 'BLOB':
      return isNumber ? 'number' : 'string'
    default:
      return isNumber || isNumeric(first.value) ? 'number' : 'string'
  }
}

/**
 * The literals as types, if these are exactly what the column can hold: an affinity may convert a
 * value before it is compared, and a collation may let others pass.
 */
function literalTypes(
  { collation, declaredType }: ColumnInfo,
  literals: readonly Literal[] | undefined,
): readonly string[] | undefined {
  if (literals === undefined || literals.length === 0) {
    return undefined
  }
  const affinity = affinityOf(foldName(declaredType))
  const isExact = literals.every((literal) => {
    if (typeof literal === 'number') {
      return affinity !== 'TEXT'
    }
    const isKept = affinity === 'TEXT' || affinity === 'BLOB' || !isNumeric(literal)
    return isKept && collation === 'BINARY'
  })
  return isExact
    ? literals.map((literal) => (typeof literal === 'string' ? quote(literal) : String(literal)))
    : undefined
}

/** Whether a numeric affinity turns the text into a number. */
function isNumeric(text: string): boolean {
  return /^[ \t\n\v\f\r]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[ \t\n\v\f\r]*$/i.test(text)
}

function isNull(defaultValue: string): boolean {
  const tokens = tokenize(defaultValue)
  return tokens.length === 1 && is(tokens[0], 'null')
}
