/**
 * Migrations for the SQLite database of a Cloudflare Durable Object.
 *
 * @module
 */
export { getMigrations, type MigrationInfo } from './get-migrations.js'
export {
  type MigrateOptions,
  migrateTo,
  migrateToLatest,
  NO_MIGRATIONS,
  type NoMigrations,
} from './migrate.js'
export type { Migration, Migrations, MigrationStep } from './migration.js'
export { type MigrationFile, migrationsFromFiles } from './migrations-from-files.js'
export { rebuildTable, type RebuildTableOptions } from './rebuild-table.js'
export { type RestorableContext, restoreBefore } from './restore-before.js'
export type { MigrationEvent, MigrationStorage } from './run-migration.js'
