import { DurableObjectSqliteError } from '../platform/errors.js'
import { Journal } from './journal.js'
import type { MigrationStorage } from './run-migration.js'

/** `ctx` of a Durable Object, as far as {@link restoreBefore} needs it. */
export interface RestorableContext {
  /** `ctx.storage`. */
  readonly storage: MigrationStorage & {
    /** Says to what point in time the storage goes back when the object restarts. */
    onNextSessionRestoreBookmark(bookmark: string): Promise<string>
  }
  /** Restarts the object. */
  abort(reason?: string): void
}

/**
 * Takes the object, with everything that it stores, back to the point in time before the migration was
 * applied, and restarts it. What was written since is lost. If the object wakes with the same
 * migrations, it applies them again. So first deploy without the migration, and call this where
 * `migrateToLatest()` rejects with `ERR_MIGRATION_MISSING`.
 *
 * Throws `ERR_MIGRATION_UNKNOWN` if the migration was not applied. Throws
 * `ERR_POINT_IN_TIME_UNAVAILABLE` if the platform has no point-in-time recovery, as in local
 * development, or had none when the migration ran. Cloudflare keeps 30 days.
 *
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
 *
 * ### Examples
 *
 * ```ts compile-only
 * import { restoreBefore } from 'kysely-durable-sqlite/migration'
 *
 * await restoreBefore(ctx, '0007_split_name')
 * ```
 */
export async function restoreBefore(ctx: RestorableContext, name: string): Promise<void> {
  const entries = await Journal.open(ctx.storage).read()
  const entry = entries.find((it) => it.name === name)
  if (entry === undefined) {
    throw new DurableObjectSqliteError(
      'ERR_MIGRATION_UNKNOWN',
      `Migration ${name} was not applied to this object. Pass a name that getMigrations() reports ` +
        'as applied.',
    )
  }
  if (entry.bookmark === null) {
    throw new DurableObjectSqliteError(
      'ERR_POINT_IN_TIME_UNAVAILABLE',
      `No point in time is known for migration ${name}: Kysely's Migrator applied it, or the platform ` +
        "had no point-in-time recovery. Undo it with migrateTo() and the migration's down.",
    )
  }
  try {
    await ctx.storage.onNextSessionRestoreBookmark(entry.bookmark)
  } catch (error) {
    throw new DurableObjectSqliteError(
      'ERR_POINT_IN_TIME_UNAVAILABLE',
      `The platform cannot go back to the point in time before migration ${name}. Local development ` +
        "has no point-in-time recovery: undo it with migrateTo() and the migration's down.",
      { cause: error },
    )
  }
  ctx.abort(`Restarted to go back to the point in time before migration ${name}.`)
}
