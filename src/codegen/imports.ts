import { DurableObjectSqliteError } from '../platform/errors.js'
import { COLUMN_HELPERS } from './column-mapping.js'
import { type ColumnMember, KYSELY_HELPERS } from './column-member.js'
import { namesIn, quote } from './identifier.js'

/**
 * The import statements that the members need, with an empty line after them.
 *
 * @param stored the members whose codecs are written, too; undefined if none are
 */
export function importsOf(
  members: readonly ColumnMember[],
  stored: readonly ColumnMember[] | undefined,
): string[] {
  const lines = [...kyselyImport(members), ...(stored === undefined ? [] : columnsImport(stored))]
  for (const [module, names] of ownImports(members, new Set(stored))) {
    const values = [...names].filter(([, isValue]) => isValue).map(([name]) => name)
    const types = [...names].filter(([, isValue]) => !isValue).map(([name]) => name)
    lines.push(...importLine('import', values, module), ...importLine('import type', types, module))
  }
  return lines.length === 0 ? [] : [...lines, '']
}

function kyselyImport(members: readonly ColumnMember[]): string[] {
  const used = new Set(members.map(({ helper }) => helper))
  return importLine(
    'import type',
    KYSELY_HELPERS.filter((helper) => used.has(helper)),
    'kysely',
  )
}

function columnsImport(members: readonly ColumnMember[]): string[] {
  const used = new Set(members.map(({ mapped }) => /^\w+(?=[(<])/.exec(mapped?.codec ?? '')?.[0]))
  return importLine(
    'import',
    COLUMN_HELPERS.filter((helper) => helper === 'columnTypes' || used.has(helper)),
    'kysely-durable-sqlite/columns',
  )
}

/** By module, the names and whether each is used as a value. */
function ownImports(
  members: readonly ColumnMember[],
  stored: ReadonlySet<ColumnMember>,
): readonly [module: string, names: ReadonlyMap<string, boolean>][] {
  const moduleOf = new Map<string, string>()
  const values = new Set<string>()
  for (const member of members) {
    const { mapped } = member
    const used = mapped === undefined ? [] : namesIn(mapped.type)
    for (const [name, module] of mapped?.imports ?? []) {
      const isValue = stored.has(member) && mapped?.codec === name
      if (!isValue && !used.includes(name)) {
        continue
      }
      const known = moduleOf.get(name) ?? module
      if (known !== module) {
        throw new DurableObjectSqliteError(
          'ERR_INVALID_COLUMN_MAPPING',
          `The import ${quote(name)} is from ${quote(known)} and from ${quote(module)}. Export one of ` +
            'them under another name.',
        )
      }
      moduleOf.set(name, module)
      if (isValue) {
        values.add(name)
      }
    }
  }
  const byModule = Map.groupBy(
    [...moduleOf].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ([, module]) => module,
  )
  return [...byModule]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([module, names]) => [module, new Map(names.map(([name]) => [name, values.has(name)]))])
}

function importLine(keyword: string, names: readonly string[], module: string): string[] {
  return names.length === 0 ? [] : [`${keyword} { ${names.join(', ')} } from ${quote(module)}`]
}
