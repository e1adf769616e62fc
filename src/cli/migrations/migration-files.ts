import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { UsageError } from '../usage-error.js'

/** Where migrations come from. */
export interface MigrationSource {
  /** As the user gave it. */
  readonly path: string
  /** The SQL texts in a directory, by path. */
  readonly texts: ReadonlyMap<string, string>
  /** The modules in a directory, by path; each is one migration. */
  readonly modules: readonly string[]
  /** A module with all migrations, instead of a directory. */
  readonly index: string | undefined
}

const MODULE = /(?<!\.d)\.[cm]?[jt]s$/
const INDEX = /^index\.[cm]?[jt]s$/

/** Throws `UsageError` for a path with no migrations. */
export function readMigrationSource(path: string): MigrationSource {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile()) {
    if (!MODULE.test(path)) {
      throw new UsageError(
        `${path} is not a module. Pass the directory of the .sql files, or a module that exports migrations.`,
      )
    }
    return { path, texts: new Map(), modules: [], index: path }
  }
  if (!stats?.isDirectory()) {
    throw new UsageError(
      `There are no migrations in ${path}: there is no such directory or module.`,
    )
  }
  return readDirectory(path)
}

function readDirectory(path: string): MigrationSource {
  const names = readdirSync(path).toSorted()
  const index = names.find((name) => INDEX.test(name))
  if (index !== undefined) {
    return { path, texts: new Map(), modules: [], index: join(path, index) }
  }
  const files = names.flatMap((name) => migrationFile(join(path, name)))
  const texts = new Map(
    files.filter((file) => file.endsWith('.sql')).map((file) => [file, readText(file)]),
  )
  const modules = files.filter((file) => MODULE.test(file) && !isOfDrizzleKit(file, names))
  if (texts.size + modules.length === 0) {
    throw new UsageError(
      `There are no migrations in ${path}. Put .sql files there, or begin with: kysely-durable-sqlite create <name>`,
    )
  }
  return { path, texts, modules, index: undefined }
}

/** A file, or the `migration.sql` in a folder, as newer versions of drizzle-kit lay them out. */
function migrationFile(path: string): string[] {
  // A link is followed, and a FIFO is none.
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory()) {
    const file = join(path, 'migration.sql')
    return statSync(file, { throwIfNoEntry: false })?.isFile() ? [file] : []
  }
  return stats?.isFile() && /\.sql$|(?<!\.d)\.[cm]?[jt]s$/.test(path) ? [path] : []
}

/** `migrations.js`, which drizzle-kit writes for its own migrator. */
function isOfDrizzleKit(path: string, names: readonly string[]): boolean {
  return basename(path) === 'migrations.js' && names.includes('meta')
}

/** Without a byte order mark, as every bundler reads it. */
function readText(path: string): string {
  return new TextDecoder().decode(readFileSync(path))
}
