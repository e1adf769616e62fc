import { withChecksums } from './checksum.js'
import { Journal, type JournalEntry } from './journal.js'
import { type ChecksummedMigration, type Migrations, toNamedMigrations } from './migration.js'
import { isEdited } from './migration-plan.js'
import type { MigrationStorage } from './run-migration.js'

/** What {@link getMigrations} tells of a migration. */
export interface MigrationInfo {
  readonly name: string
  /** `missing`: it was applied, but is not among the migrations given. */
  readonly state: 'applied' | 'pending' | 'missing'
  /** Undefined while it is pending. */
  readonly executedAt: Date | undefined
  /**
   * Of an applied migration: whether the SQL text given is the one applied. `unknown` for functions,
   * for what is missing and for what Kysely's `Migrator` applied; undefined while it is pending.
   */
  readonly checksum: 'same' | 'edited' | 'unknown' | undefined
}

/**
 * The migrations given and those in the journal of the object, in the order of their names. Changes
 * nothing. Throws `ERR_INVALID_MIGRATION` for what is no migration.
 *
 * ### Examples
 *
 * ```ts
 * const migrations = await getMigrations(ctx.storage, { '0001_person': 'create table person (…)' })
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
