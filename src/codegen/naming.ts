import { CamelCasePlugin } from 'kysely'

/** How Kysely's plugins translate between names in the code and names in the database. */
export interface Naming {
  /** The name in the code, as rows have it. */
  toKey(name: string): string
  /** The name that a query with this key asks the database for. */
  toName(key: string): string
}

export const ORIGINAL_NAMES: Naming = { toKey: (name) => name, toName: (key) => key }

/** The names of Kysely's `CamelCasePlugin`, from the plugin itself. */
export class CamelCaseNaming extends CamelCasePlugin implements Naming {
  toKey(name: string): string {
    return this.camelCase(name)
  }

  toName(key: string): string {
    return this.snakeCase(key)
  }
}

/**
 * The item that each key stands for. Of several it is the one that a query by that key reaches, or
 * else the first.
 */
export function itemsByKey<T extends { readonly name: string }>(
  items: readonly T[],
  naming: Naming,
): ReadonlyMap<string, T> {
  const byKey = new Map<string, T>()
  for (const item of items) {
    const key = naming.toKey(item.name)
    if (!byKey.has(key) || naming.toName(key) === item.name) {
      byKey.set(key, item)
    }
  }
  return byKey
}
