import type { Kysely } from 'kysely'
import type { Migration as KyselyMigration } from 'kysely/migration'
import { NO_MIGRATIONS as KYSELY_NO_MIGRATIONS } from 'kysely/migration'
import { expectTypeOf } from 'vitest'
import type { SqlStorage } from '../../src/index.js'
import {
  getMigrations,
  type Migration,
  type MigrationEvent,
  type MigrationInfo,
  type Migrations,
  type MigrationStorage,
  migrateTo,
  migrateToLatest,
  NO_MIGRATIONS,
  rebuildTable,
  type RestorableContext,
  restoreBefore,
} from '../../src/migration/index.js'

declare const ctx: DurableObjectState
declare const kyselyMigrations: Record<string, KyselyMigration>

// The storage of @cloudflare/workers-types is accepted without a cast, and so are Kysely's migrations.
expectTypeOf(ctx.storage).toExtend<MigrationStorage>()
expectTypeOf(ctx).toExtend<RestorableContext>()
expectTypeOf<KyselyMigration>().toExtend<Migration>()
expectTypeOf(migrateToLatest(ctx.storage, kyselyMigrations)).resolves.toEqualTypeOf<string[]>()
expectTypeOf(migrateTo(ctx.storage, kyselyMigrations, KYSELY_NO_MIGRATIONS)).resolves.toEqualTypeOf<
  string[]
>()
expectTypeOf(migrateTo(ctx.storage, {}, NO_MIGRATIONS)).resolves.toEqualTypeOf<string[]>()
expectTypeOf(getMigrations(ctx.storage, {})).resolves.toEqualTypeOf<MigrationInfo[]>()
expectTypeOf(restoreBefore(ctx, '0001')).resolves.toBeVoid()
expectTypeOf(
  ctx.blockConcurrencyWhile(() => migrateToLatest(ctx.storage, {})),
).resolves.toEqualTypeOf<string[]>()

// None of the public types is `any`, but for the database of a migration, as in Kysely.
expectTypeOf<Migrations[string]>().toEqualTypeOf<string | Migration>()
expectTypeOf<MigrationEvent['rowsWritten']>().toEqualTypeOf<number>()
expectTypeOf<MigrationInfo['state']>().toEqualTypeOf<'applied' | 'pending' | 'missing'>()

const migration: Migration = {
  foreignKeys: 'off',
  async up(db, sql) {
    // oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own signature
    expectTypeOf(db).toEqualTypeOf<Kysely<any>>()
    expectTypeOf(sql).toEqualTypeOf<SqlStorage>()
    rebuildTable(sql, 'a', { create: db.schema.createTable('a').addColumn('b', 'text') })
  },
  down: 'drop table a',
}
void migrateToLatest(ctx.storage, { '0001': migration })
// @ts-expect-error Foreign keys are on by default.
void migrateToLatest(ctx.storage, { '0001': { up: '', foreignKeys: 'on' } })
// @ts-expect-error A migration needs `up`.
void migrateToLatest(ctx.storage, { '0001': { down: '' } })
// @ts-expect-error The storage, not the context.
void migrateToLatest(ctx, {})
