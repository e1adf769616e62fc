import {
  type DeleteResult,
  type Generated,
  type InsertResult,
  type Kysely,
  sql,
  type UpdateResult,
} from 'kysely'
import { expectTypeOf } from 'vitest'
import type { NotPromise, PreparedQuery, QueryParameters, SyncExecutor } from '../../src/index.js'

interface Database {
  person: { id: Generated<number>; name: string; age: number | null }
  pet: { id: Generated<number>; owner: number; name: string }
}

declare const db: Kysely<Database>
declare const sync: SyncExecutor

interface Person {
  id: number
  name: string
  age: number | null
}

// The rows of a query have the type that awaiting it gives them.
const people = db.selectFrom('person').selectAll()
expectTypeOf(sync.execute(people)).toEqualTypeOf<Person[]>()
expectTypeOf(sync.execute(people)).toEqualTypeOf<Awaited<ReturnType<typeof people.execute>>>()
expectTypeOf(sync.executeTakeFirst(people)).toEqualTypeOf<Person | undefined>()
expectTypeOf(sync.executeTakeFirstOrThrow(people)).toEqualTypeOf<Person>()
expectTypeOf(sync.execute(people.compile())).toEqualTypeOf<Person[]>()

expectTypeOf(
  sync.execute(
    db
      .selectFrom('person as p')
      .leftJoin('pet', 'pet.owner', 'p.id')
      .select((eb) => ['p.name as owner', 'pet.name as pet', eb.fn.countAll<number>().as('count')])
      .groupBy('p.id'),
  ),
).toEqualTypeOf<{ owner: string; pet: string | null; count: number }[]>()
expectTypeOf(
  sync.execute(
    db
      .with('old', (qb) => qb.selectFrom('person').select('name'))
      .selectFrom('old')
      .selectAll(),
  ),
).toEqualTypeOf<{ name: string }[]>()
expectTypeOf(sync.execute(sql<{ one: number }>`select 1 as one`)).toEqualTypeOf<{ one: number }[]>()
expectTypeOf(sync.executeTakeFirst(sql<{ one: number }>`select 1 as one`)).toEqualTypeOf<
  { one: number } | undefined
>()
expectTypeOf(sync.execute(db.schema.dropTable('person'))).toEqualTypeOf<unknown[]>()

// A write has a result, or with `returning` rows.
const insert = db.insertInto('person').values({ name: 'Ada' })
const update = db.updateTable('person').set({ age: 1 })
const remove = db.deleteFrom('person')
expectTypeOf(sync.execute(insert)).toEqualTypeOf<InsertResult[]>()
expectTypeOf(sync.executeTakeFirst(insert)).toEqualTypeOf<InsertResult>()
expectTypeOf(sync.execute(update)).toEqualTypeOf<UpdateResult[]>()
expectTypeOf(sync.executeTakeFirst(remove)).toEqualTypeOf<DeleteResult>()
expectTypeOf(sync.execute(insert.returning('id'))).toEqualTypeOf<{ id: number }[]>()
expectTypeOf(sync.executeTakeFirst(update.returning('age'))).toEqualTypeOf<
  { age: number | null } | undefined
>()
expectTypeOf(sync.run(insert)).toEqualTypeOf<void>()

expectTypeOf(sync.transaction(() => 5)).toEqualTypeOf<number>()
// @ts-expect-error
void sync.transaction(async () => {})

// A function of one's own passes on a closure, and refuses what the transaction refuses.
function logged<T>(closure: () => NotPromise<T>): T {
  const result = sync.transaction<T>(closure)
  console.log('committed')
  return result
}
expectTypeOf(logged(() => 5)).toEqualTypeOf<number>()
// @ts-expect-error
void logged(async () => {})
// @ts-expect-error
sync.execute('select 1')

// A prepared query knows its parameters and its rows.
const byName = sync.prepare((param: QueryParameters<{ name: string }>) =>
  people.where('name', '=', param('name')),
)
expectTypeOf(byName).toEqualTypeOf<PreparedQuery<{ name: string }, Person>>()
expectTypeOf(byName.execute({ name: 'Ada' })).toEqualTypeOf<Person[]>()
expectTypeOf(byName.executeTakeFirst({ name: 'Ada' })).toEqualTypeOf<Person | undefined>()
expectTypeOf(byName.executeTakeFirstOrThrow({ name: 'Ada' })).toEqualTypeOf<Person>()
expectTypeOf(byName.run({ name: 'Ada' })).toEqualTypeOf<void>()
// @ts-expect-error
byName.execute()
// @ts-expect-error
byName.execute({})
// @ts-expect-error
byName.execute({ name: 5 })
// @ts-expect-error
byName.execute({ name: 'Ada', age: 5 })

expectTypeOf(sync.prepare(() => insert).execute()).toEqualTypeOf<InsertResult[]>()
expectTypeOf(
  sync
    .prepare((param: QueryParameters<{ ids: number[] }>) =>
      db.selectFrom('person').select('name').where('id', 'in', param('ids')),
    )
    .execute({ ids: [1, 2] }),
).toEqualTypeOf<{ name: string }[]>()
expectTypeOf(
  sync
    .prepare((param: QueryParameters<{ name: string; age: number | null }>) =>
      db
        .insertInto('person')
        .values({ name: param('name'), age: param('age') })
        .returning('id'),
    )
    .executeTakeFirst({ name: 'Ada', age: null }),
).toEqualTypeOf<{ id: number } | undefined>()

// With the types of the parameters alone, those of the rows are not inferred.
expectTypeOf(
  sync.prepare<{ name: string }>((param) => people.where('name', '=', param('name'))),
).toEqualTypeOf<PreparedQuery<{ name: string }, unknown>>()

// A parameter fits the column that it meets.
sync.prepare((param: QueryParameters<{ id: string }>) =>
  // @ts-expect-error
  people.where('id', '=', param('id')),
)
sync.prepare((param: QueryParameters<{ id: number }>) =>
  // @ts-expect-error
  people.where('id', '=', param('key')),
)
sync.prepare((param: QueryParameters<{ ids: string[] }>) =>
  // @ts-expect-error
  people.where('id', 'in', param('ids')),
)
sync.prepare((param: QueryParameters<{ name: number }>) =>
  // @ts-expect-error
  db.insertInto('person').values({ name: param('name') }),
)
sync.prepare((param: QueryParameters<{ name: string | null }>) =>
  // @ts-expect-error
  db.updateTable('person').set({ name: param('name') }),
)
