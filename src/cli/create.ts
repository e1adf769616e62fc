import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { leadingNumber } from './check/check-names.js'
import { makeDirectory } from './make-directory.js'
import { migrationName } from './migrations/migration-places.js'
import type { Settings } from './settings.js'
import { note, writeOut } from './terminal.js'
import { hasCode, messageOf, UsageError } from './usage-error.js'

/** Does `kysely-durable-sqlite create`, and returns the exit code. */
export function create(
  name: string,
  { migrations }: Pick<Settings, 'migrations'>,
  { ts }: { readonly ts?: boolean } = {},
): number {
  if (migrations === undefined) {
    throw new UsageError(
      'Say where the migrations are: --migrations <directory>, or "migrations" in kysely-durable-sqlite.jsonc.',
    )
  }
  const slug = toSlug(name)
  const directory = directoryOf(migrations)
  const present = existsSync(directory) ? readdirSync(directory).toSorted() : []
  if (present.includes('meta') && existsSync(join(directory, 'meta', '_journal.json'))) {
    throw new UsageError(
      `${directory} is drizzle-kit's, which keeps a journal of it. Use: drizzle-kit generate --custom --name ${slug}`,
    )
  }
  const files = present.filter((file) => /\.sql$|(?<!\.d)\.[cm]?[jt]s$/.test(file))
  const numbered = files.filter((file) => /^\d/.test(file))
  const isModule = ts ?? /\.[cm]?ts$/.test(numbered.at(-1) ?? '')
  const extension = isModule ? 'ts' : 'sql'
  const stem = `${nextNumber(numbered)}_${slug}`
  const path = join(directory, `${stem}.${extension}`)
  write(directory, path, isModule ? MODULE : sqlText(stem))
  writeOut(`${path}\n`)
  const index = present.find((file) => /^index\.[cm]?[jt]s$/.test(file))
  if (index !== undefined) {
    note(`Name it in ${join(directory, index)}: its migrations are those that it exports.`)
  }
  return 0
}

/** `Add email` is `add_email`. */
function toSlug(name: string): string {
  const slug = name.trim().replace(/\s+/g, '_')
  if (!/^[\w-]+$/.test(slug)) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a migration. Use letters, digits, _ and -.`,
    )
  }
  return slug
}

function directoryOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats !== undefined && !stats.isDirectory()) {
    throw new UsageError(
      `${path} is not a directory: write the migration into it, or name the directory.`,
    )
  }
  return path
}

/** The number after the last, of as many digits; the time, written as before, where they are times. */
function nextNumber(files: readonly string[]): string {
  const numbers = files.map((file) => leadingNumber(migrationName(file)))
  const last = numbers.at(-1) ?? '0000'
  const time = timeLike(last)
  if (time !== undefined) {
    if (time <= last) {
      throw new UsageError(`The last migration is of ${last}, which is not before now: ${time}.`)
    }
    return time
  }
  const highest = numbers.map(BigInt).reduce((a, b) => (b > a ? b : a), 0n)
  const next = String(highest + 1n).padStart(last.length, '0')
  if (next.length > last.length) {
    throw new UsageError(
      `There is no number after ${last} with as many digits, and names are compared as texts. Rename the ` +
        'migrations that no object has applied, or name the file yourself.',
    )
  }
  return next
}

/** The time now, in UTC, as this one is written: `20261121`, `2026-11-21-101500`. */
function timeLike(written: string): string | undefined {
  const isTime = /^(?:19|20)\d\d-?(?:0\d|1[0-2])-?[0-3]\d/.test(written)
  const digits = new Date().toISOString().match(/\d/g) ?? []
  return isTime ? written.replace(/\d/g, () => digits.shift() ?? '0') : undefined
}

function write(directory: string, path: string, text: string): void {
  try {
    makeDirectory(directory)
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(
      hasCode(error, 'EEXIST')
        ? `${path} is there already.`
        : `${path} cannot be written: ${messageOf(error)}.`,
    )
  }
}

function sqlText(stem: string): string {
  return `-- ${stem}: what is written here runs once in every object, in one transaction.\n`
}

const MODULE = `import type { Kysely } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
}

export async function down(db: Kysely<any>): Promise<void> {
}
`
