import { DurableObjectSqliteError } from '../platform/errors.js'
import { foldName } from '../schema/sql-tokens.js'
import type { ColumnInfo, TableSchema } from '../schema/introspect-schema.js'
import { readJsonColumns, type Literal } from './check-literals.js'
import { isDeclaredBoolean, isLimitedToBits } from './column-type.js'
import { quote } from './identifier.js'

/** What a column means in TypeScript, for {@link GenerateKyselyDbInterfaceOptions.mapping}. */
export interface ColumnMapping {
  /**
   * The TypeScript type of a value that is not NULL: `'Prefs'`, `'readonly Tag[]'`. Default: the type
   * of the codec or, without one, the type that the schema declares.
   */
  readonly type?: string
  /**
   * How the value is stored: `'boolean'`, `'int64'`, `'json'`, `'date:milliseconds'`, `'date:seconds'`,
   * `'date:iso'`, `'date:sqlite'`, or the name of a codec of your own, which `imports` must contain.
   * Default: none.
   */
  readonly codec?: string
  /**
   * The module of each name that `type` and `codec` use, such as `{ Prefs: './prefs.js' }`. Default:
   * none.
   */
  readonly imports?: Readonly<Record<string, string>>
}

/** A column's type and codec as the generated text has them. */
export interface MappedColumn {
  readonly type: string
  /** The expression of the codec; undefined for a type alone. */
  readonly codec: string | undefined
  readonly imports: ReadonlyMap<string, string>
}

/** The type of any JSON text, in the generated text. */
export const JSON_TYPE = 'Json'

/** What the generated text imports from `kysely-durable-sqlite/columns`. */
export const COLUMN_HELPERS = ['boolean', 'columnTypes', 'date', 'int64', 'json'] as const

const DATE_CODEC = /^date:(milliseconds|seconds|iso|sqlite)$/

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/** Throws `ERR_INVALID_COLUMN_MAPPING`. */
export function mapColumn({ type, codec, imports = {} }: ColumnMapping): MappedColumn | undefined {
  for (const name of Object.keys(imports)) {
    if (!IDENTIFIER.test(name) || RESERVED_NAMES.has(name)) {
      throw invalid(`The import ${quote(name)} cannot have that name`, 'Export it under another')
    }
  }
  const modules = new Map(Object.entries(imports))
  if (codec === undefined) {
    return type === undefined ? undefined : { type, codec, imports: modules }
  }
  const [, format] = DATE_CODEC.exec(codec) ?? []
  if (format !== undefined) {
    return { type: type ?? 'Date', codec: `date(${quote(format)})`, imports: modules }
  }
  switch (codec) {
    case 'boolean':
      return { type: type ?? 'boolean', codec: 'boolean()', imports: modules }
    case 'int64':
      return { type: type ?? 'bigint', codec: 'int64()', imports: modules }
    case 'json':
      return { type: type ?? JSON_TYPE, codec: `json<${type ?? JSON_TYPE}>()`, imports: modules }
    default:
      return ownCodec(codec, type, modules)
  }
}

function ownCodec(
  codec: string,
  type: string | undefined,
  imports: ReadonlyMap<string, string>,
): MappedColumn {
  if (!imports.has(codec)) {
    throw invalid(
      `There is no codec ${quote(codec)}`,
      'Use boolean, int64, json, date:milliseconds, date:seconds, date:iso or date:sqlite, or name the ' +
        'module of your own in imports',
    )
  }
  if (type === undefined) {
    throw invalid(`The codec ${quote(codec)} has no type`, 'Say in type what it decodes to')
  }
  return { type, codec, imports }
}

const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...COLUMN_HELPERS,
  'columns',
  'ColumnType',
  'Generated',
  'GeneratedAlways',
])

function invalid(what: string, instead: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError('ERR_INVALID_COLUMN_MAPPING', `${what}. ${instead}.`)
}

/** The codec that the schema itself tells of. */
export function inferMapping(
  column: ColumnInfo,
  table: TableSchema,
  literals: readonly Literal[] | undefined,
): ColumnMapping | undefined {
  if (literals === undefined ? isDeclaredBoolean(column) : isLimitedToBits(column, literals)) {
    return { codec: 'boolean' }
  }
  return isJson(column, table) ? { codec: 'json' } : undefined
}

function isJson({ name, declaredType }: ColumnInfo, { checks, columns }: TableSchema): boolean {
  const names = columns.map((column) => column.name)
  return (
    foldName(declaredType) === 'json' ||
    checks.some((check) => readJsonColumns(check, names).includes(foldName(name)))
  )
}
