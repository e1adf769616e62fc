import { withChecksums } from './checksum.js'
import { Journal, type JournalEntry } from './journal.js'
import { type ChecksummedMigration, type Migrations, toNamedMigrations } from './migration.js'
import { isEdited } from './migration-plan.js'
import type { MigrationStorage } from './run-migration.js'

/** What {@link getMigrations} returns for a migration. */
export interface MigrationInfo {
  /** Its name. */
  readonly name: string
  /** Whether it is applied. A `missing` migration is applied, but not among those given. */
  readonly state: 'applied' | 'pending' | 'missing'
  /** When it was applied; undefined while it is pending. */
  readonly executedAt: Date | undefined
  /**
   * Whether the given SQL text is the one that was applied. `'unknown'` for functions, for missing
   * migrations and for those that Kysely's `Migrator` applied. Undefined while the migration is
   * pending.
   */
  readonly checksum: 'same' | 'edited' | 'unknown' | undefined
}

/**
 * Returns the given migrations and those in the journal of the object, in the order of their names.
 * Changes nothing.
 *
 * Throws `ERR_INVALID_MIGRATION` for what is not a migration, and `ERR_INVALID_STORAGE` for anything but
 * `ctx.storage`.
 *
 * ### Examples
 *
 * ```ts
 * import { getMigrations } from 'kysely-durable-sqlite/migration'
 *
 * const migrations = await getMigrations(ctx.storage, {
 *   '0001_event': 'create table event (id integer primary key, name text not null)',
 * })
 * const pending = migrations.filter(({ state }) => state === 'pending')
 * ```
 */
export async function getMigrations(
  storage: MigrationStorage,
  migrations: Migrations,
): Promise<MigrationInfo[]> {
  const given = await withChecksums(toNamedMigrations(migrations))
  const entries = new Map((await Journal.open(storage).read()).map((entry) => [entry.name, entry]))
  const byName = new Map(given.map((migration) => [migration.name, migration]))
  return [...new Set([...byName.keys(), ...entries.keys()])]
    .toSorted()
    .map((name) => describeMigration(name, byName.get(name), entries.get(name)))
}

function describeMigration(
  name: string,
  migration: ChecksummedMigration | undefined,
  entry: JournalEntry | undefined,
): MigrationInfo {
  if (entry === undefined) {
    return { name, state: 'pending', executedAt: undefined, checksum: undefined }
  }
  const executedAt = new Date(entry.timestamp)
  if (migration === undefined) {
    return { name, state: 'missing', executedAt, checksum: 'unknown' }
  }
  if (isEdited(migration, entry)) {
    return { name, state: 'applied', executedAt, checksum: 'edited' }
  }
  return {
    name,
    state: 'applied',
    executedAt,
    checksum: entry.checksum === null ? 'unknown' : 'same',
  }
}
