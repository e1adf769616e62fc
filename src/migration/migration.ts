import type { Kysely } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorage } from '../platform/storage.js'

/**
 * SQL text of one or more statements, or a function. The function gets a Kysely instance, whose queries
 * run in the transaction of the migration. It also gets `ctx.storage.sql`, in the same transaction, for
 * {@link rebuildTable}.
 */
export type MigrationStep =
  | string
  // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature: a migration outlives every type of the database
  | ((db: Kysely<any>, sql: SqlStorage) => Promise<unknown>)

/** A migration with a `down` step or with options. A `Migration` of Kysely fits. */
export interface Migration {
  /** Applies the migration. */
  readonly up: MigrationStep
  /** Undoes `up`. Without it, {@link migrateTo} refuses to undo the migration. Default: none. */
  readonly down?: MigrationStep
  /**
   * With `'off'`, `up` and `down` run without foreign keys, as {@link rebuildTable} requires. All
   * foreign keys are checked before the commit, and are on again afterwards whatever happens. Default:
   * they are on.
   */
  readonly foreignKeys?: 'off'
}

/**
 * Migrations by name: SQL text, or an object with `up`. They run in the order of their names, as
 * `Array.prototype.sort()` orders them and as in Kysely.
 */
export type Migrations = Readonly<Record<string, string | Migration>>

export interface NamedMigration {
  readonly name: string
  readonly migration: Migration
}

/** A migration whose checksum has been taken. */
export interface ChecksummedMigration extends NamedMigration {
  /** Null for a function. */
  readonly checksum: string | null
}

/** The migrations in order. Throws `ERR_INVALID_MIGRATION` for what is none. */
export function toNamedMigrations(migrations: Migrations): NamedMigration[] {
  return Object.keys(migrations)
    .toSorted()
    .map((name) => ({ name, migration: toMigration(name, migrations[name]) }))
}

function toMigration(name: string, value: unknown): Migration {
  if (name.trim() === '') {
    throw invalid('A migration has an empty name', 'Name it so that it sorts after the one before')
  }
  if (typeof value === 'string') {
    return { up: value }
  }
  if (typeof value !== 'object' || value === null) {
    throw invalid(
      `Migration ${name} is ${value === null ? 'null' : `of type ${typeof value}`}`,
      'Write SQL text, or an object with up',
    )
  }
  const { up, down, foreignKeys } = value as Partial<Record<keyof Migration, unknown>>
  if (!isStep(up) || (down !== undefined && !isStep(down))) {
    throw invalid(
      `Migration ${name} has ${isStep(up) ? 'a down' : 'an up'} that is neither SQL text nor a function`,
      'Write { up: …, down: … }, each of them SQL text or an async function',
    )
  }
  if (foreignKeys !== undefined && foreignKeys !== 'off') {
    throw invalid(
      `Migration ${name} has foreignKeys: ${JSON.stringify(foreignKeys)}`,
      "Write foreignKeys: 'off', or leave it out",
    )
  }
  return value as Migration
}

function isStep(value: unknown): value is MigrationStep {
  return typeof value === 'string' || typeof value === 'function'
}

function invalid(what: string, instead: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError('ERR_INVALID_MIGRATION', `${what}. ${instead}.`)
}
