import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Finding } from '../finding.js'
import type { MigrationSource } from '../migrations/migration-files.js'
import type { MigrationPlaces } from '../migrations/migration-places.js'
import type { OriginalSources } from '../sandbox/original-sources.js'

interface Numbered {
  readonly name: string
  /** `[7]` of `0007_email`, `[2026, 11, 21]` of `2026-11-21_email`. */
  readonly numbers: readonly bigint[]
}

/** Names that sort otherwise than their numbers, and numbers that are there twice. */
export function checkNames(names: readonly string[], places: MigrationPlaces): Finding[] {
  const numbered = names.toSorted().flatMap((name): Numbered[] => {
    const numbers = leadingNumber(name).match(/\d+/g)
    return numbers === null ? [] : [{ name, numbers: numbers.map(BigInt) }]
  })
  return numbered.flatMap(({ name, numbers }, index) => {
    const before = numbered[index - 1]
    const order = before === undefined ? -1 : compare(before.numbers, numbers)
    if (before === undefined || order < 0) {
      return []
    }
    const message =
      order === 0
        ? `Migrations ${before.name} and ${name} have the same number: an object that has applied the second ` +
          'refuses the first. Give the newer one the next number.'
        : `Migration ${name} runs after ${before.name}: names are compared as texts. Write all numbers with ` +
          'the same number of digits.'
    return [{ ...places.ofMigration(name), message }]
  })
}

/** The number or time that a name begins with: `0007`, `20261121`, `2026-11-21T101500Z`. */
export function leadingNumber(name: string): string {
  return /^\d+(?:[-T:.]\d+)*/.exec(name)?.[0] ?? ''
}

function compare(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [index, number] of a.entries()) {
    const other = b[index]
    if (other === undefined || number !== other) {
      return other === undefined || number > other ? 1 : -1
    }
  }
  return a.length < b.length ? -1 : 0
}

/** Numbered SQL files beside the index of a directory that it does not import. */
export function checkIndex({ path, index }: MigrationSource, sources: OriginalSources): Finding[] {
  if (index === undefined || index === path) {
    return []
  }
  return readdirSync(dirname(index))
    .filter((name) => /^\d.*\.sql$/.test(name))
    .toSorted()
    .map((name) => join(dirname(index), name))
    .filter((file) => sources.contentOf(file) === undefined)
    .map((file) => ({
      file,
      line: 1,
      message: `No object runs this file, since ${index} does not import it. Name it there.`,
    }))
}

/** What drizzle-kit's journal names and what lies there, where it has one. */
export function checkDrizzleJournal(directory: string, names: readonly string[]): Finding[] {
  const file = join(directory, 'meta', '_journal.json')
  if (!existsSync(file)) {
    return []
  }
  const text = readFileSync(file, 'utf8')
  let tags: string[]
  try {
    const { entries } = JSON.parse(text) as { entries: readonly { readonly tag: string }[] }
    tags = entries.map(({ tag }) => tag)
  } catch {
    return [{ file, line: 1, message: 'This is not a journal of drizzle-kit. Restore it.' }]
  }
  const missing = tags.filter((tag) => !names.includes(tag))
  const surplus = names.filter((name) => !tags.includes(name))
  return [
    ...missing.map((tag) => ({
      file,
      line: text.slice(0, text.indexOf(`"${tag}"`)).split('\n').length,
      message: `Migration ${tag} is in the journal and has no file. Restore the file.`,
    })),
    ...surplus.map((name) => ({
      file,
      line: 1,
      message: `Migration ${name} is not in the journal. Make such files with drizzle-kit generate --custom.`,
    })),
  ]
}
