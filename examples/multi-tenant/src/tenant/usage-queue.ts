import type { Kysely } from 'kysely'
import type { Directory } from '../directory/directory.js'
import type { Database } from './database.generated.js'

const BATCH = 100

/**
 * Sends the changes to the directory, which counts them, in batches. A batch leaves the queue once it
 * is counted. If the object dies in between it is sent again, and the directory, which knows the
 * number of the last change that it has counted, leaves it out.
 */
export async function drainUsageQueue(
  db: Kysely<Database>,
  tenant: string,
  directory: DurableObjectStub<Directory>,
): Promise<void> {
  for (;;) {
    const batch = await db
      .selectFrom('change')
      .select(['seq', 'at'])
      .orderBy('seq')
      .limit(BATCH)
      .execute()
    const last = batch.at(-1)?.seq
    if (last === undefined) {
      return
    }
    await directory.countChanges(tenant, batch)
    await db.deleteFrom('change').where('seq', '<=', last).execute()
  }
}
