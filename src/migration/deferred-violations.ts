import { type Kysely, sql } from 'kysely'

/**
 * Whether a violation may be left for the commit, where the platform resets the object instead of
 * reporting it. SQLite cannot be asked which foreign keys are deferred; a table whose text has that
 * word for another reason costs a needless check.
 */
export async function mayHaveDeferredViolations(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pragma_defer_foreign_keys where defer_foreign_keys = 1
    union all select 1 from sqlite_schema where sql like '%deferred%'
    limit 1
  `.execute(db)
  return rows.length > 0
}
