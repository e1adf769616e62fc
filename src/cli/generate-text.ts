import picomatch from 'picomatch'
import type { ColumnMapping } from '../codegen/column-mapping.js'
import { generateKyselyDbInterface } from '../codegen/generate.js'
import { quote } from '../codegen/identifier.js'
import type { ColumnInfo, TableSchema } from '../schema/introspect-schema.js'
import { foldName } from '../schema/sql-tokens.js'
import { KYSELY_TABLES } from '../schema/user-tables.js'
import type { Settings } from './settings.js'
import { UsageError } from './usage-error.js'

type Matcher = (name: string) => boolean

/** The text that the settings ask for. Throws `UsageError` for a glob or a mapping that nothing fits. */
export function generateText(tables: readonly TableSchema[], settings: Settings): string {
  const users = tables.filter(({ name }) => !KYSELY_TABLES.has(name))
  const isIncluded = tableMatcher(settings)
  assertUsed(
    settings.include ?? [],
    'table',
    users.map(({ name }) => name),
  )
  assertMappingsUsed(settings, users)
  return generateKyselyDbInterface(
    users.filter(({ name }) => isIncluded(name)),
    {
      ...(settings.interfaceName !== undefined && { interfaceName: settings.interfaceName }),
      camelCase: settings.camelCase ?? false,
      columns: settings.columns ?? false,
      mapping: mapper(settings),
    },
  )
}

/** Whether `include` and `exclude` let a table be. */
export function tableMatcher({
  include,
  exclude = [],
}: Pick<Settings, 'include' | 'exclude'>): Matcher {
  const included = include === undefined ? [() => true] : include.map(glob)
  const excluded = exclude.map(glob)
  return (name) => included.some((is) => is(name)) && !excluded.some((is) => is(name))
}

/** Names are compared as SQLite compares them. `*` is any text. */
function glob(pattern: string): Matcher {
  // As a path, a name could be no `.` and have no `/` in it.
  const matches = picomatch(foldName(pattern), { bash: true, dot: true, nonegate: true })
  return (name) => matches(foldName(name)) || foldName(name) === foldName(pattern)
}

interface Mapping {
  readonly matches: (column: ColumnInfo, table: TableSchema) => boolean
  readonly mapping: ColumnMapping
}

/** The first that fits: by table and column, then by column, then by declared type; names before globs. */
function mapper(
  settings: Settings,
): (column: ColumnInfo, table: TableSchema) => ColumnMapping | undefined {
  const mappings = allMappings(settings)
  return (column, table) => mappings.find(({ matches }) => matches(column, table))?.mapping
}

function allMappings({ mapping = {}, declaredTypes = {} }: Settings): Mapping[] {
  const ofColumns = Object.entries(mapping)
  const isQualified = ([key]: [string, unknown]): boolean => key.includes('.')
  const isGlob = ([key]: [string, unknown]): boolean => /[*?[{(]/.test(key)
  const exactFirst = <T>(entries: [string, T][]): [string, T][] => [
    ...entries.filter((entry) => !isGlob(entry)),
    ...entries.filter(isGlob),
  ]
  return [
    ...exactFirst(ofColumns.filter(isQualified)).map(([key, value]) => {
      const matches = glob(key)
      return {
        matches: ({ name }: ColumnInfo, table: TableSchema) => matches(`${table.name}.${name}`),
        mapping: toMapping(value),
      }
    }),
    ...exactFirst(ofColumns.filter((entry) => !isQualified(entry))).map(([key, value]) => {
      const matches = glob(key)
      return { matches: ({ name }: ColumnInfo) => matches(name), mapping: toMapping(value) }
    }),
    ...exactFirst(Object.entries(declaredTypes)).map(([key, value]) => {
      const matches = glob(key)
      return {
        matches: ({ declaredType }: ColumnInfo) => matches(declaredType),
        mapping: toMapping(value),
      }
    }),
  ]
}

/** A text is a codec. What the configuration leaves out is not there. */
function toMapping(value: NonNullable<Settings['mapping']>[string]): ColumnMapping {
  if (typeof value === 'string') {
    return { codec: value }
  }
  const { type, codec, imports } = value
  return {
    ...(type !== undefined && { type }),
    ...(codec !== undefined && { codec }),
    ...(imports !== undefined && { imports }),
  }
}

/** A name that is misspelt would be left out silently. */
function assertMappingsUsed({ mapping = {} }: Settings, tables: readonly TableSchema[]): void {
  const qualified = tables.flatMap(({ name, columns }) =>
    columns.map((column) => `${name}.${column.name}`),
  )
  const columns = tables.flatMap((table) => table.columns.map(({ name }) => name))
  const keys = Object.keys(mapping)
  assertUsed(
    keys.filter((key) => key.includes('.')),
    'column',
    qualified,
  )
  assertUsed(
    keys.filter((key) => !key.includes('.')),
    'column',
    columns,
  )
}

function assertUsed(patterns: readonly string[], what: string, names: readonly string[]): void {
  const unused = patterns.find((pattern) => !names.some(glob(pattern)))
  if (unused !== undefined) {
    throw new UsageError(`There is no ${what} ${quote(unused)}. Correct the name, or leave it out.`)
  }
}
