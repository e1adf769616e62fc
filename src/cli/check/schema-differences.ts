import type { ColumnInfo, TableSchema } from '../../schema/introspect-schema.js'
import { tokenize } from '../../schema/sql-tokens.js'
import type { Snapshot } from '../sandbox/protocol.js'

/** What differs in the second from the first, as SQLite sees it: `column person.email is gone`. */
export function schemaDifferences(first: Snapshot, second: Snapshot): string[] {
  return [
    ...differences('table', byName(first.tables), byName(second.tables), tableDifferences),
    ...differences(
      '',
      new Map(Object.entries(first.definitions)),
      new Map(Object.entries(second.definitions)),
      (a, b, name) => (canonical(a) === canonical(b) ? [] : [`${name} is another`]),
    ),
    ...differences(
      'rows of',
      new Map(Object.entries(first.rowCounts)),
      new Map(Object.entries(second.rowCounts)),
      (a, b, name) => (a === b ? [] : [`${name} are ${b} instead of ${a}`]),
      { inBothAlone: true },
    ),
  ]
}

function differences<T>(
  kind: string,
  first: ReadonlyMap<string, T>,
  second: ReadonlyMap<string, T>,
  compare: (a: T, b: T, name: string) => string[],
  { inBothAlone = false } = {},
): string[] {
  const names = [...new Set([...first.keys(), ...second.keys()])].toSorted()
  return names.flatMap((name) => {
    const a = first.get(name)
    const b = second.get(name)
    const called = `${kind} ${name}`.trim()
    if (a === undefined || b === undefined) {
      return inBothAlone ? [] : [`${called} is ${a === undefined ? 'there' : 'gone'}`]
    }
    return compare(a, b, called)
  })
}

function tableDifferences(a: TableSchema, b: TableSchema): string[] {
  const names = (table: TableSchema): string => table.columns.map(({ name }) => name).join(', ')
  const columns = differences(
    'column',
    byName(a.columns, `${a.name}.`),
    byName(b.columns, `${a.name}.`),
    columnDifferences,
  )
  if (columns.length === 0 && names(a) !== names(b)) {
    columns.push(`the columns of table ${a.name} are in the order ${names(b)}`)
  }
  const rest = (['kind', 'strict', 'withoutRowid', 'foreignKeys'] as const).filter(
    (key) => !isEqual(a[key], b[key]),
  )
  return [
    ...columns,
    ...differences('index', indexes(a), indexes(b), (x, y, name) => (x === y ? [] : [`${name} is another`])),
    ...rest.map((key) => `${WORDS[key]} of table ${a.name} ${PLURAL.has(key) ? 'are' : 'is'} another`),
    ...(isEqual(a.checks.map(canonical), b.checks.map(canonical))
      ? []
      : [`the CHECK constraints of table ${a.name} are others`]),
  ]
}

const WORDS = {
  kind: 'the kind',
  strict: 'STRICT',
  withoutRowid: 'WITHOUT ROWID',
  foreignKeys: 'the foreign keys',
} as const

const PLURAL: ReadonlySet<string> = new Set(['foreignKeys'])

function columnDifferences(a: ColumnInfo, b: ColumnInfo, name: string): string[] {
  const normal = ({ defaultValue, ...column }: ColumnInfo): unknown => ({
    ...column,
    defaultValue: defaultValue === null ? null : canonical(defaultValue),
  })
  return isEqual(normal(a), normal(b)) ? [] : [`${name} is declared otherwise`]
}

function indexes({ indexes }: TableSchema): ReadonlyMap<string, string> {
  return new Map(
    indexes.map(({ name, sql, ...index }) => [
      name,
      JSON.stringify([index, sql === null ? null : canonical(sql)]),
    ]),
  )
}

/** The SQL without its comments, white space and case: what SQLite sees. */
export function canonical(sql: string): string {
  return tokenize(sql)
    .map(({ kind, value, text }) => (kind === 'string' || kind === 'quoted-name' ? text : value))
    .join(' ')
}

function byName<T extends { readonly name: string }>(
  items: readonly T[],
  prefix = '',
): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [prefix + item.name, item]))
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
