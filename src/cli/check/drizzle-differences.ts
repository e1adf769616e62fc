import { affinityOf } from '../../codegen/column-type.js'
import type { ColumnInfo, IndexInfo, TableSchema } from '../../schema/introspect-schema.js'
import { foldName, tokenize } from '../../schema/sql-tokens.js'
import type { Snapshot } from '../sandbox/protocol.js'

/** The journals of the migrators, which no schema has. */
const JOURNALS: ReadonlySet<string> = new Set(['__drizzle_migrations', 'd1_migrations'])

/** A difference, and the name by which the schema's file may have it. */
export interface DrizzleDifference {
  readonly message: string
  readonly name: string
}

/**
 * What the migrations do not make as the Drizzle schema has it. What Drizzle cannot say is left out of
 * it: virtual tables, triggers, and views that only the migrations have.
 */
export function drizzleDifferences(
  drizzle: Snapshot,
  migrated: Snapshot,
  isIncluded: (table: string) => boolean = () => true,
): DrizzleDifference[] {
  const expected = byFoldedName(drizzle.tables)
  const actual = byFoldedName(migrated.tables)
  const missing = [...expected.values()].flatMap((table) => {
    const other = actual.get(foldName(table.name))
    const what = table.kind === 'view' ? 'view' : 'table'
    if (other === undefined) {
      return [difference(table.name, `The migrations make no ${what} ${table.name}`)]
    }
    return table.kind === 'table' ? tableDifferences(table, other) : []
  })
  const extra = [...actual.values()]
    .filter(({ name, kind }) => kind === 'table' && !expected.has(foldName(name)))
    .filter(({ name }) => !JOURNALS.has(name) && isIncluded(name))
    .map(({ name }) =>
      difference(name, `The migrations make table ${name}, which the schema does not have`),
    )
  return [...missing, ...extra]
}

function tableDifferences(drizzle: TableSchema, migrated: TableSchema): DrizzleDifference[] {
  const { name } = drizzle
  const columns = byFoldedName(migrated.columns)
  const expected = byFoldedName(drizzle.columns)
  const say = (message: string): DrizzleDifference => difference(name, `Table ${name}: ${message}`)
  return [
    ...drizzle.columns.flatMap((column) => {
      const other = columns.get(foldName(column.name))
      return other === undefined
        ? [say(`the migrations make no column ${column.name}`)]
        : columnDifferences(column, other).map(say)
    }),
    ...migrated.columns
      .filter((column) => !expected.has(foldName(column.name)))
      .map((column) =>
        say(`the migrations make column ${column.name}, which the schema does not have`),
      ),
    ...setDifferences(say, 'foreign key', foreignKeys(drizzle), foreignKeys(migrated)),
    ...setDifferences(say, 'index', drizzle.indexes.map(index), migrated.indexes.map(index)),
    ...setDifferences(
      say,
      'check',
      drizzle.checks.map((check) => condition(check, name)),
      migrated.checks.map((check) => condition(check, name)),
    ),
  ]
}

function columnDifferences(drizzle: ColumnInfo, migrated: ColumnInfo): string[] {
  const facts = (column: ColumnInfo): Record<string, string> => ({
    // `varchar(20)` and `text` are one to SQLite.
    type: affinityOf(foldName(column.declaredType)),
    'NOT NULL': String(column.notNull),
    'PRIMARY KEY': String(column.primaryKey),
    DEFAULT: column.defaultValue === null ? 'none' : condition(column.defaultValue),
    GENERATED: column.generated ?? 'no',
  })
  const expected = facts(drizzle)
  const actual = facts(migrated)
  return Object.keys(expected)
    .filter((fact) => expected[fact] !== actual[fact])
    .map(
      (fact) =>
        `${fact} of column ${drizzle.name} is ${actual[fact]} in the migrations and ${expected[fact]} in the schema`,
    )
}

function foreignKeys({ foreignKeys }: TableSchema): string[] {
  return foreignKeys.map(
    ({ columns, referencedTable, referencedColumns, onDelete, onUpdate }) =>
      `(${columns.join(', ')}) to ${referencedTable} (${referencedColumns.join(', ')})` +
      ` on delete ${onDelete} on update ${onUpdate}`,
  )
}

/** By what it does: a UNIQUE constraint and a unique index are one. */
function index({ unique, columns, sql }: IndexInfo): string {
  const parts = columns.map(({ name, descending }) => `${name ?? '…'}${descending ? ' desc' : ''}`)
  const tokens = sql === null ? [] : tokenize(sql)
  const where = tokens.findLastIndex(({ kind, value }) => kind === 'word' && value === 'where')
  const isExpression = columns.some(({ name }) => name === null)
  const text = isExpression
    ? ` ${condition(sql!.slice(sql!.indexOf('(')))}`
    : where === -1
      ? ''
      : ` ${condition(sql!.slice(tokens.at(where)!.start))}`
  return `${unique ? 'unique ' : ''}on (${parts.join(', ')})${text}`
}

/** The expression without what makes no difference: quotes of names, the table's name, outer parentheses. */
function condition(sql: string, table?: string): string {
  const tokens = tokenize(sql)
  const words = tokens.map(({ kind, value, text }) => (kind === 'string' ? text : foldName(value)))
  const unqualified = words.filter(
    (word, index) =>
      table === undefined ||
      !(
        (word === foldName(table) && words[index + 1] === '.') ||
        (word === '.' && words[index - 1] === foldName(table))
      ),
  )
  const text = unqualified.join(' ')
  return /^\( [^()]*(?:\( [^()]*\)[^()]*)*\)$/.test(text) ? text.slice(2, -2) : text
}

function setDifferences(
  say: (message: string) => DrizzleDifference,
  kind: string,
  expected: readonly string[],
  actual: readonly string[],
): DrizzleDifference[] {
  return [
    ...expected
      .filter((item) => !actual.includes(item))
      .map((item) => say(`the migrations make no ${kind} ${item}`)),
    ...actual
      .filter((item) => !expected.includes(item))
      .map((item) =>
        say(`the migrations make the ${kind} ${item}, which the schema does not have`),
      ),
  ]
}

function difference(name: string, message: string): DrizzleDifference {
  return { name, message: `${message}. Run drizzle-kit generate, or fix the schema.` }
}

function byFoldedName<T extends { readonly name: string }>(
  items: readonly T[],
): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [foldName(item.name), item]))
}
