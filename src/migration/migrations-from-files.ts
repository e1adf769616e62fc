import { DurableObjectSqliteError } from '../platform/errors.js'
import type { Migration, Migrations } from './migration.js'

/**
 * What a bundler makes of a file: its text, a migration, or a module with either as its default export.
 */
export type MigrationFile =
  | string
  | Migration
  | {
      /** The default export. */
      readonly default: string | Migration
    }

/** The folder and the name of a file, without its extension. */
const PATH = /^(?:(?:.*[/\\])?([^/\\]+)[/\\])?([^/\\]+?)(?:\.[a-z]+)?$/i

/**
 * Returns the migrations of the given files, by path, as Vite's `import.meta.glob` returns them. Each
 * migration is named after its file, without folder and extension, as in Kysely's
 * `FileMigrationProvider`. A file `migration.sql` is named after its folder, which is the layout of
 * newer versions of drizzle-kit.
 *
 * Throws `ERR_INVALID_MIGRATION` if two files have the same name.
 *
 * ### Examples
 *
 * ```ts compile-only
 * import { migrateToLatest, migrationsFromFiles } from 'kysely-durable-sqlite/migration'
 *
 * const migrations = migrationsFromFiles(
 *   import.meta.glob('./migrations/*.sql', { query: '?raw', import: 'default', eager: true }),
 * )
 * await migrateToLatest(ctx.storage, migrations)
 * ```
 */
export function migrationsFromFiles(files: Readonly<Record<string, MigrationFile>>): Migrations {
  const migrations = new Map<string, string | Migration>()
  for (const [path, file] of Object.entries(files)) {
    const name = nameOf(path)
    if (migrations.has(name)) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_MIGRATION',
        `Two files make the migration name ${name}, one of them is ${path}. Rename one of them.`,
      )
    }
    migrations.set(name, isModule(file) ? file.default : file)
  }
  return Object.fromEntries(migrations)
}

function nameOf(path: string): string {
  const [, folder, file = ''] = PATH.exec(path) ?? []
  return file === 'migration' && folder !== undefined ? folder : file
}

function isModule(file: MigrationFile): file is { readonly default: string | Migration } {
  return typeof file === 'object' && file !== null && 'default' in file
}
