import type { ColumnInfo, TableSchema } from '../schema/introspect-schema.js'
import { JSON_TYPE } from './column-mapping.js'
import type { ColumnMember } from './column-member.js'
import { toPropertyName } from './identifier.js'
import { itemsByKey, type Naming } from './naming.js'

/** What a JSON text holds. That it is the text `null` is left to the column's NULL. */
export const JSON_TEXT = `export type ${JSON_TYPE} =
  | string
  | number
  | boolean
  | readonly (${JSON_TYPE} | null)[]
  | { readonly [key: string]: ${JSON_TYPE} | null | undefined }
`

interface Columns {
  readonly interfaceName: string
  readonly camelCase: boolean
  readonly naming: Naming
  readonly members: ReadonlyMap<TableSchema, ReadonlyMap<ColumnInfo, ColumnMember>>
}

/** `export const columns = columnTypes<DB>({ … })` with the codecs that there are. */
export function columnsText({ interfaceName, camelCase, naming, members }: Columns): string {
  const tables = reachable([...members.keys()], naming).flatMap(([key, table]) => {
    const codecs = reachable(table.columns, naming).flatMap(([column, info]) => {
      const codec = members.get(table)?.get(info)?.mapped?.codec
      return codec === undefined ? [] : [`\n    ${literalKey(column)}: ${codec},`]
    })
    return codecs.length === 0 ? [] : [`\n  ${literalKey(key)}: {${codecs.join('')}\n  },`]
  })
  const object = tables.length === 0 ? '{}' : `{${tables.join('')}\n}`
  const options = camelCase ? ', { camelCase: true }' : ''
  return `export const columns = columnTypes<${interfaceName}>(${object}${options})\n`
}

/** The items with the keys that they are reached by. */
function reachable<T extends { readonly name: string }>(
  items: readonly T[],
  naming: Naming,
): [key: string, item: T][] {
  const byKey = itemsByKey(items, naming)
  return items
    .map((item): [string, T] => [naming.toKey(item.name), item])
    .filter(([key, item]) => byKey.get(key) === item)
}

/** The name as a key of an object literal, in which `__proto__` alone would be its prototype. */
function literalKey(name: string): string {
  return name === '__proto__' ? "['__proto__']" : toPropertyName(name)
}
