import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'
import { foreignKeysSetting } from '../statement/pragmas.js'
import type { JournalEntry } from './journal.js'
import type { ChecksummedMigration, MigrationStep } from './migration.js'
import { splitStatements } from './sql-script.js'

/** One `up` or `down` that is to run. */
export interface PlannedMigration extends ChecksummedMigration {
  readonly direction: 'up' | 'down'
  /** The statements of a SQL text; undefined for a function. */
  readonly statements: readonly string[] | undefined
  readonly foreignKeysOff: boolean
}

/** The migrations that were not applied. Throws if the journal contradicts the migrations. */
export function pendingMigrations(
  migrations: readonly ChecksummedMigration[],
  journal: readonly JournalEntry[],
  allowUnorderedMigrations: boolean,
): ChecksummedMigration[] {
  const given = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const entry of journal) {
    const migration = given.get(entry.name)
    if (migration === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_MIGRATION_MISSING',
        `Migration ${entry.name} was applied on ${entry.timestamp} and is missing now. Put it back, ` +
          'under the name that it had; what it did is undone by a new migration.',
      )
    }
    if (isEdited(migration, entry)) {
      throw new DurableObjectSqliteError(
        'ERR_MIGRATION_EDITED',
        `Migration ${entry.name} was edited after it was applied on ${entry.timestamp}. Put its SQL ` +
          'text back as it was, and write the change into a new migration.',
      )
    }
  }
  const applied = new Set(journal.map(({ name }) => name))
  const pending = migrations.filter(({ name }) => !applied.has(name))
  const first = pending[0]?.name
  const later = migrations.findLast(({ name }) => applied.has(name))?.name
  if (!allowUnorderedMigrations && first !== undefined && later !== undefined && first < later) {
    throw new DurableObjectSqliteError(
      'ERR_MIGRATION_UNORDERED',
      `Migration ${first} is new and sorts before ${later}, which was applied. Give it a name that ` +
        'sorts last, or set allowUnorderedMigrations if it does not depend on the order.',
    )
  }
  return pending
}

/** A function has no checksum, and neither has what Kysely's `Migrator` applied. */
export function isEdited(
  { checksum }: Pick<ChecksummedMigration, 'checksum'>,
  entry: JournalEntry,
): boolean {
  return entry.checksum !== null && entry.checksum !== checksum
}

/** Throws `ERR_INVALID_MIGRATION` if there is nothing to run. */
export function planUp(sql: SqlStorage, migration: ChecksummedMigration): PlannedMigration {
  return plan(sql, migration, 'up', migration.migration.up)
}

/** Throws `ERR_MIGRATION_IRREVERSIBLE` if the migration has no `down`. */
export function planDown(sql: SqlStorage, migration: ChecksummedMigration): PlannedMigration {
  const { down } = migration.migration
  if (down === undefined) {
    throw new DurableObjectSqliteError(
      'ERR_MIGRATION_IRREVERSIBLE',
      `Migration ${migration.name} has no down, so that it cannot be undone. Give it one, or go back ` +
        'with restoreBefore().',
    )
  }
  return plan(sql, migration, 'down', down)
}

/**
 * A text that sets `pragma foreign_keys`, as drizzle-kit writes it around a table rebuild, means the
 * option: inside the transaction SQLite ignores the pragma.
 */
function plan(
  sql: SqlStorage,
  migration: ChecksummedMigration,
  direction: 'up' | 'down',
  step: MigrationStep,
): PlannedMigration {
  const isOff = migration.migration.foreignKeys === 'off'
  if (typeof step !== 'string') {
    return { ...migration, direction, statements: undefined, foreignKeysOff: isOff }
  }
  const all = splitStatements(step).map((statement) => ({
    statement,
    foreignKeys: foreignKeysSetting(sql, statement),
  }))
  const statements = all
    .filter(({ foreignKeys }) => foreignKeys === undefined)
    .map(({ statement }) => statement)
  if (statements.length === 0) {
    throw new DurableObjectSqliteError(
      'ERR_INVALID_MIGRATION',
      `The SQL text of migration ${migration.name} (${direction}) has no statement. Write one; a ` +
        'migration that does nothing is `select 1`.',
    )
  }
  return {
    ...migration,
    direction,
    statements,
    foreignKeysOff: isOff || all.some(({ foreignKeys }) => foreignKeys === false),
  }
}
