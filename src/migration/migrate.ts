import type { KyselyPlugin } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { fingerprintOf, withChecksums } from './checksum.js'
import { inTurn } from './in-turn.js'
import { Journal, type JournalEntry } from './journal.js'
import {
  type ChecksummedMigration,
  type Migrations,
  type NamedMigration,
  toNamedMigrations,
} from './migration.js'
import { pendingMigrations, planDown, type PlannedMigration, planUp } from './migration-plan.js'
import {
  type MigrationEvent,
  type MigrationStorage,
  runMigration,
  type RunOptions,
} from './run-migration.js'

/** Options of {@link migrateToLatest} and {@link migrateTo}. */
export interface MigrateOptions {
  /** Whether a new migration may sort before an applied one, as in Kysely. Default: false. */
  readonly allowUnorderedMigrations?: boolean
  /**
   * Called after each migration, once it is committed. If it throws, the run ends, and what was
   * migrated stays. Default: none.
   */
  readonly onMigration?: (event: MigrationEvent) => void
  /**
   * The plugins of the Kysely instance that migrations get, such as `CamelCasePlugin`. Default: none.
   */
  readonly plugins?: readonly KyselyPlugin[]
}

/** The type of {@link NO_MIGRATIONS}. Kysely's constant of that name fits too. */
export interface NoMigrations {
  /** As in Kysely. */
  readonly __noMigrations__: true
}

/** Makes {@link migrateTo} undo all migrations. */
export const NO_MIGRATIONS: NoMigrations = Object.freeze({ __noMigrations__: true })

/**
 * Applies the migrations that have not been applied yet, in the order of their names, and returns the
 * names of those that it applied. Call it each time the object wakes: if there is nothing to do, it is
 * one query that reads one row.
 *
 * Each migration is committed together with its entry in the journal, or not at all. The journal is
 * Kysely's table `kysely_migration`. Concurrent calls apply each migration once.
 *
 * Before anything runs it throws
 *
 * - `ERR_INVALID_STORAGE` for anything but `ctx.storage`,
 * - `ERR_INVALID_MIGRATION` for what is not a migration,
 * - `ERR_MIGRATION_MISSING` if an applied migration is not among those given,
 * - `ERR_MIGRATION_EDITED` if the SQL text of an applied migration has changed,
 * - `ERR_MIGRATION_UNORDERED` if a new migration sorts before an applied one,
 * - `ERR_TRANSACTION_TIMEOUT` if a transaction stays open for 10 s, or another run of migrations for 25 s.
 *
 * If a migration fails, it throws `ERR_MIGRATION_FAILED`, with the error as its `cause`. The object is
 * then as it was before that migration, and the next call continues from there.
 *
 * ### Examples
 *
 * ```ts
 * import { DurableObject } from 'cloudflare:workers'
 * import { migrateToLatest } from 'kysely-durable-sqlite/migration'
 *
 * export class People extends DurableObject {
 *   constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
 *     super(ctx, env)
 *     void ctx.blockConcurrencyWhile(() =>
 *       migrateToLatest(ctx.storage, {
 *         '0001_person': 'create table person (id integer primary key, name text not null)',
 *         '0002_name': {
 *           async up(db) {
 *             await db.schema.createIndex('person_name').on('person').column('name').execute()
 *           },
 *         },
 *       }),
 *     )
 *   }
 * }
 * ```
 */
export async function migrateToLatest(
  storage: MigrationStorage,
  migrations: Migrations,
  options: MigrateOptions = {},
): Promise<string[]> {
  const journal = Journal.open(storage)
  const named = toNamedMigrations(migrations)
  const fingerprint = await fingerprintOf(named)
  return inTurn(storage.sql, async () => {
    if ((await journal.readFingerprint()) === fingerprint) {
      return []
    }
    const { entries, pending } = await compare(journal, named, options)
    if (pending.length === 0) {
      if (entries.length > 0) {
        // Kysely's Migrator applied the last one, or something was undone: the next time one row tells.
        await journal.transaction(async (trx) => {
          await trx.prepare()
          await trx.writeFingerprint(fingerprint, named.length)
        })
      }
      return []
    }
    const planned = pending.map((migration) => planUp(storage.sql, migration))
    return run(storage, planned, {
      entries,
      complete: { fingerprint, count: named.length },
      options,
    })
  })
}

/**
 * Migrates up or down until the migration of this name is the last one applied. Going up, it runs
 * migrations in the order of their names. Going down, it undoes the last applied first. With
 * {@link NO_MIGRATIONS}, it undoes all. Returns the names of the migrations that it ran.
 *
 * Throws what {@link migrateToLatest} throws. Before anything runs, it also throws
 * `ERR_MIGRATION_UNKNOWN` if there is no migration of this name, and `ERR_MIGRATION_IRREVERSIBLE` if
 * one to be undone has no `down`.
 *
 * ### Examples
 *
 * ```ts
 * import { migrateTo, NO_MIGRATIONS } from 'kysely-durable-sqlite/migration'
 *
 * const migrations = {
 *   '0001_event': { up: 'create table event (name text)', down: 'drop table event' },
 *   '0002_place': { up: 'create table place (name text)', down: 'drop table place' },
 * }
 *
 * await migrateTo(ctx.storage, migrations, '0001_event')
 * await migrateTo(ctx.storage, migrations, NO_MIGRATIONS)
 * ```
 */
export async function migrateTo(
  storage: MigrationStorage,
  migrations: Migrations,
  name: string | NoMigrations,
  options: MigrateOptions = {},
): Promise<string[]> {
  const journal = Journal.open(storage)
  const named = toNamedMigrations(migrations)
  return inTurn(storage.sql, async () => {
    const { all, entries, pending } = await compare(journal, named, options)
    const target = typeof name === 'string' ? pending.findIndex((it) => it.name === name) : -1
    if (target !== -1) {
      const planned = pending.slice(0, target + 1).map((it) => planUp(storage.sql, it))
      return run(storage, planned, { entries, options })
    }
    const position =
      typeof name === 'string' ? entries.findIndex((entry) => entry.name === name) : -1
    if (typeof name === 'string' && position === -1) {
      throw new DurableObjectSqliteError(
        'ERR_MIGRATION_UNKNOWN',
        `There is no migration ${name} to migrate to. Pass one of the names given, or NO_MIGRATIONS.`,
      )
    }
    const byName = new Map(all.map((migration) => [migration.name, migration]))
    const undone = entries.slice(position + 1).toReversed()
    return run(
      storage,
      undone.map((entry) => planDown(storage.sql, byName.get(entry.name)!)),
      { entries, options },
    )
  })
}

interface Comparison {
  readonly all: readonly ChecksummedMigration[]
  readonly entries: readonly JournalEntry[]
  readonly pending: readonly ChecksummedMigration[]
}

async function compare(
  journal: Journal,
  named: readonly NamedMigration[],
  { allowUnorderedMigrations = false }: MigrateOptions,
): Promise<Comparison> {
  const all = await withChecksums(named)
  const entries = await journal.read()
  return { all, entries, pending: pendingMigrations(all, entries, allowUnorderedMigrations) }
}

interface Run {
  readonly entries: readonly JournalEntry[]
  /** What is true once all have run. */
  readonly complete?: RunOptions['complete']
  readonly options: MigrateOptions
}

async function run(
  storage: MigrationStorage,
  planned: readonly PlannedMigration[],
  { entries, complete, options: { onMigration, plugins = [] } }: Run,
): Promise<string[]> {
  const names: string[] = []
  let after = Math.max(0, ...entries.map(({ timestamp }) => Date.parse(timestamp) || 0))
  for (const migration of planned) {
    const event = await runMigration(storage, migration, {
      plugins,
      after,
      complete: migration === planned.at(-1) ? complete : undefined,
    })
    after = Math.max(after + 1, Date.now())
    if (event !== undefined) {
      names.push(event.name)
      onMigration?.(event)
    }
  }
  return names
}
