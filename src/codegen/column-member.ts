import type { ColumnInfo, TableSchema } from '../schema/introspect-schema.js'
import type { Literal } from './check-literals.js'
import type { MappedColumn } from './column-mapping.js'
import { columnTypes, hasGeneratedValue } from './column-type.js'
import { namesIn } from './identifier.js'

/** The types of Kysely that the generated text may import. */
export const KYSELY_HELPERS = ['ColumnType', 'Generated', 'GeneratedAlways'] as const

export type KyselyHelper = (typeof KYSELY_HELPERS)[number]

/** A column as a member of its table's interface. */
export interface ColumnMember {
  /** `Generated<number>` */
  readonly type: string
  readonly helper: KyselyHelper | undefined
  /** Every name that stands in the type that it is mapped to, so that no table may be named like it. */
  readonly names: readonly string[]
  readonly mapped: MappedColumn | undefined
}

interface Known {
  /** What a CHECK constraint limits the column to. */
  readonly literals: readonly Literal[] | undefined
  readonly mapped: MappedColumn | undefined
}

export function columnMember(
  column: ColumnInfo,
  table: TableSchema,
  { literals, mapped }: Known,
): ColumnMember {
  const { read, alsoWritten } =
    mapped === undefined
      ? columnTypes(column, table, literals)
      : { read: [operand(mapped.type)], alsoWritten: [] }
  const names =
    mapped === undefined ? [] : [...namesIn(mapped.type), ...mapped.imports.keys()]
  const member = (type: string, helper?: KyselyHelper): ColumnMember => ({
    type: helper === undefined ? type : `${helper}<${type}>`,
    helper,
    names,
    mapped,
  })
  const nullable = column.notNull ? [] : ['null']
  const selected = [...read, ...nullable].join(' | ')
  if (table.kind === 'view') {
    return member(`${selected}, never, never`, 'ColumnType')
  }
  if (column.generated !== null) {
    return member(selected, 'GeneratedAlways')
  }
  const isGenerated = hasGeneratedValue(column)
  if (alsoWritten.length > 0) {
    const written = [...read, ...alsoWritten, ...nullable].join(' | ')
    const inserted = isGenerated ? `${written} | undefined` : written
    return member(`${selected}, ${inserted}, ${written}`, 'ColumnType')
  }
  return isGenerated ? member(selected, 'Generated') : member(selected)
}

/** The type as an operand of `|`. A function or a conditional type is none without parentheses. */
function operand(type: string): string {
  return /=>|\?|\bextends\b|^new\b/.test(type) ? `(${type})` : type
}
