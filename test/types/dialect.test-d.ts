import type { DurableObject } from 'cloudflare:workers'
import { type Dialect, Kysely, type QueryResult } from 'kysely'
import { expectTypeOf } from 'vitest'
import {
  DurableObjectSqliteDialect,
  type DurableObjectSqliteDialectConfig,
  DurableObjectSqliteError,
  type DurableObjectSqliteQueryEvent,
  type DurableObjectStorageLike,
  type SqlStorageCursor,
  type SqlStorageValue,
  withDoTransaction,
} from '../../src/index.js'

declare const ctx: DurableObjectState
declare const object: DurableObject & { ctx: DurableObjectState }

// The storage of @cloudflare/workers-types is accepted without a cast.
expectTypeOf(ctx.storage).toExtend<DurableObjectStorageLike>()
expectTypeOf(ctx.storage.sql.exec('')).toExtend<SqlStorageCursor>()
expectTypeOf(new DurableObjectSqliteDialect(ctx.storage)).toExtend<Dialect>()
expectTypeOf(new DurableObjectSqliteDialect(ctx.storage.sql)).toExtend<Dialect>()
expectTypeOf(new DurableObjectSqliteDialect(object.ctx.storage, {})).toExtend<Dialect>()
// @ts-expect-error
new DurableObjectSqliteDialect(ctx)
// @ts-expect-error
new DurableObjectSqliteDialect(ctx.storage, { onquery() {} })

const dialect = new DurableObjectSqliteDialect(ctx.storage)
expectTypeOf(dialect.clone()).toEqualTypeOf<DurableObjectSqliteDialect>()
expectTypeOf(
  new Kysely<{ a: { b: number } }>({ dialect }).selectFrom('a').selectAll().execute(),
).resolves.toEqualTypeOf<{ b: number }[]>()

// None of the public types is `any`.
expectTypeOf<ConstructorParameters<typeof DurableObjectSqliteDialect>[0]>().not.toBeAny()
expectTypeOf<DurableObjectSqliteDialectConfig['onQuery']>().toEqualTypeOf<
  ((event: DurableObjectSqliteQueryEvent) => void) | undefined
>()
expectTypeOf<DurableObjectSqliteDialectConfig['transactionTimeout']>().toEqualTypeOf<
  number | undefined
>()
expectTypeOf<DurableObjectSqliteQueryEvent['rowsRead']>().toEqualTypeOf<number>()
expectTypeOf<DurableObjectSqliteQueryEvent['rowsWritten']>().toEqualTypeOf<number>()
expectTypeOf<DurableObjectSqliteQueryEvent['query']>().not.toBeAny()
expectTypeOf<SqlStorageValue>().toEqualTypeOf<ArrayBuffer | string | number | null>()
expectTypeOf<QueryResult<{ b: number }>['rows']>().toEqualTypeOf<{ b: number }[]>()

declare const error: DurableObjectSqliteError
expectTypeOf(error.cause).toEqualTypeOf<unknown>()
expectTypeOf(error.code).not.toBeAny()
expectTypeOf<'ERR_TRANSACTION_TIMEOUT'>().toExtend<typeof error.code>()
expectTypeOf<'SQLITE_CONSTRAINT_UNIQUE'>().toExtend<typeof error.code>()
// @ts-expect-error A code that there is not.
expectTypeOf<'ERR_NOPE'>().toExtend<typeof error.code>()

// The closure gets the platform's own type, and its result comes out.
expectTypeOf(
  withDoTransaction(ctx.storage, (sql) => {
    expectTypeOf(sql).toEqualTypeOf<SqlStorage>()
    return 1 as const
  }),
).toEqualTypeOf<1>()
expectTypeOf(withDoTransaction(ctx.storage, () => {})).toEqualTypeOf<void>()
// @ts-expect-error A promise is refused.
void withDoTransaction(ctx.storage, async () => 1)
