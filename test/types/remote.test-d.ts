import type { DeleteResult, Generated, InsertResult, Kysely, UpdateResult } from 'kysely'
import { expectTypeOf } from 'vitest'
import {
  batch,
  RemoteDatabase,
  type RemoteDatabaseOptions,
  RemoteDurableObjectDialect,
} from 'kysely-durable-sqlite/remote'
import type { TestObject } from '../worker.js'

interface Database {
  person: { id: Generated<number>; name: string }
}

declare const db: Kysely<Database>
declare const object: DurableObjectStub<TestObject>
declare const storage: DurableObjectStorage

const [people, inserted, updated, deleted, ids, created] = await batch(db, [
  db.selectFrom('person').selectAll(),
  db.insertInto('person').values({ name: 'Ada' }),
  db.updateTable('person').set({ name: 'Ada' }),
  db.deleteFrom('person'),
  db.insertInto('person').values({ name: 'Ada' }).returning('id').compile(),
  db.schema.dropTable('person'),
])
expectTypeOf(people).toEqualTypeOf<{ id: number; name: string }[]>()
expectTypeOf(inserted).toEqualTypeOf<InsertResult>()
expectTypeOf(updated).toEqualTypeOf<UpdateResult>()
expectTypeOf(deleted).toEqualTypeOf<DeleteResult>()
expectTypeOf(ids).toEqualTypeOf<{ id: number }[]>()
expectTypeOf(created).toEqualTypeOf<unknown[]>()

// @ts-expect-error -- there are six
await batch(db, [db.selectFrom('person').selectAll()]).then(([, second]) => second)
// @ts-expect-error -- a query, and not its rows
await batch(db, [await db.selectFrom('person').selectAll().execute()])

new RemoteDurableObjectDialect(() => object.database('key'))
new RemoteDurableObjectDialect(async () => object.database('key'))
new RemoteDurableObjectDialect(() => object.database('key'), { transactionTimeout: 1 })
// @ts-expect-error -- another method of the object
new RemoteDurableObjectDialect(() => object.greet('key'))
// @ts-expect-error -- no function
new RemoteDurableObjectDialect(object.database('key'))

const options: RemoteDatabaseOptions = { access: 'read-only', transactionTimeout: 1 }
new RemoteDatabase(db, storage, options)
// @ts-expect-error -- another access
new RemoteDatabase(db, storage, { access: 'write-only' })
