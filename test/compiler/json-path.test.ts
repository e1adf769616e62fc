import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'

interface Database {
  note: { data: Record<string, string> }
}

/**
 * What a user may send as a key: https://github.com/advisories/GHSA-wmrf-hv6w-mr66 and
 * https://github.com/advisories/GHSA-pv5w-4p9q-p3v2, which the versions of Kysely below the peer range
 * have. The platform runs all the statements of a text, so that the first drops the table there.
 */
const keys = [`a' from note; drop table note; --`, 'public.secret', `"`, '\\', '#']

it.each(keys)('should take the key %s of a JSON path for a key', (key) =>
  inDurableObject<Database>(async ({ db, exec }) => {
    await exec('create table note (data text)')
    const data = JSON.stringify({ public: { secret: 'another key' } })
    await exec('insert into note values (?)', data)
    const value = db.selectFrom('note').select((eb) => eb.ref('data', '->>$').key(key).as('value'))
    expect(await value.execute()).toEqual([{ value: null }])
    expect(
      await db
        .selectFrom('note')
        .select(sql`data`.as('data'))
        .execute(),
    ).toEqual([{ data }])
  }),
)
