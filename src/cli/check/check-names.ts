import type { Finding } from '../finding.js'
import type { MigrationPlaces } from '../migrations/migration-places.js'

interface Numbered {
  readonly name: string
  readonly number: bigint
}

/** Names that sort otherwise than their numbers, and numbers that are there twice. */
export function checkNames(names: readonly string[], places: MigrationPlaces): Finding[] {
  const numbered = names.toSorted().flatMap((name): Numbered[] => {
    const [digits] = /^\d+/.exec(name) ?? []
    return digits === undefined ? [] : [{ name, number: BigInt(digits) }]
  })
  return numbered.flatMap(({ name, number }, index) => {
    const before = numbered[index - 1]
    if (before === undefined || before.number < number) {
      return []
    }
    const message =
      before.number === number
        ? `Migrations ${before.name} and ${name} have the same number: an object that has applied the second ` +
          'refuses the first. Give the newer one the next number.'
        : `Migration ${name} runs after ${before.name}: names are compared as texts. Write all numbers with ` +
          'the same number of digits.'
    return [{ ...places.ofMigration(name), message }]
  })
}
