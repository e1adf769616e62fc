import type { Kysely } from 'kysely'
import type { Database } from './database.generated.js'

const AT_ONCE = 500

/**
 * Moves tasks that are done to the archive, 500 at once, and returns how many they were.
 *
 * It takes any Kysely, in the object or in the Worker. Prefer the object: there it is one round trip,
 * and from the Worker one for each statement and one more, while the object answers nobody else. A
 * transaction from the Worker is for what only the Worker can do in its middle.
 */
export function archiveDone(db: Kysely<Database>): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const done = await trx
      .deleteFrom('task')
      .where('id', 'in', (eb) =>
        eb.selectFrom('task').select('id').where('done', '=', true).limit(AT_ONCE),
      )
      .returning(['id', 'title'])
      .execute()
    if (done.length > 0) {
      await trx.insertInto('archived_task').values(done).execute()
    }
    return done.length
  })
}
