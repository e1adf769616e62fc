import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
    throw new UsageError(`${path} is no directory: write the migration into it, or name the directory.`)
  }
  return path
}

/** The number after the last, of as many digits; the time where the numbers are times. */
function nextNumber(files: readonly string[]): string {
  const numbers = files.map((file) => /^\d+/.exec(migrationName(file))?.[0] ?? '0')
  const last = numbers.reduce((a, b) => (BigInt(b) > BigInt(a) ? b : a), '0000')
  const now = new Date().toISOString().replace(/\D/g, '')
  if (last.length >= 14) {
    const time = now.padEnd(last.length, '0').slice(0, last.length)
    return BigInt(time) > BigInt(last) ? time : String(BigInt(last) + 1n)
  }
  const next = String(BigInt(last) + (files.length === 0 ? 1n : 1n)).padStart(last.length, '0')
  if (next.length > last.length) {
    throw new UsageError(
      `There is no number after ${last} with as many digits, and names are compared as texts. Rename the ` +
        'migrations that no object has applied, or name the file yourself.',
    )
  }
  return next
}

function write(directory: string, path: string, text: string): void {
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(
      hasCode(error, 'EEXIST') ? `${path} is there already.` : `${path} cannot be written: ${messageOf(error)}.`,
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
