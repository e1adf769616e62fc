import type { Insertable, Kysely, Selectable } from 'kysely'
import { describe, expectTypeOf, it } from 'vitest'
import type * as CamelCase from '../fixtures/every-feature-camel-case.generated.js'
import type {
  Checked,
  DB,
  Default,
  Generated2,
  StrictTable,
  TextKey,
  Totals,
} from '../fixtures/every-feature.generated.js'

declare const db: Kysely<DB>
declare const camelCaseDb: Kysely<CamelCase.Database>

type AnyValue = string | number | Uint8Array

describe('the generated interface', () => {
  it('should leave out of an insert what SQLite supplies', () => {
    db.insertInto('default').values({ required: 'text' })
    db.insertInto('default').values({
      required: 'text',
      id: 1,
      text_value: 'x',
      hex: new Uint8Array(),
    })
    // @ts-expect-error -- no default
    db.insertInto('default').values({ text_value: 'x' })
    // @ts-expect-error -- not null
    db.insertInto('default').values({ required: null })
    expectTypeOf<Selectable<Default>['id']>().toEqualTypeOf<number>()
    expectTypeOf<Selectable<Default>['stamp']>().toEqualTypeOf<string | number>()
    expectTypeOf<Selectable<Default>['boolean_value']>().toEqualTypeOf<number | null>()
  })

  it('should let generated columns be neither inserted nor updated', () => {
    db.insertInto('generated').values({ price: 1.5 })
    // @ts-expect-error -- generated
    db.insertInto('generated').values({ price: 1.5, total: 3 })
    // @ts-expect-error -- generated
    db.updateTable('generated').set({ label: 'x' })
    expectTypeOf<Selectable<Generated2>['total']>().toEqualTypeOf<number | null>()
    expectTypeOf<keyof Insertable<Generated2>>().toEqualTypeOf<'id' | 'price' | 'quantity'>()
  })

  it('should let views be selected alone', () => {
    expectTypeOf<keyof Insertable<Totals>>().toEqualTypeOf<never>()
    // @ts-expect-error -- a view
    db.updateTable('totals').set({ status: 'open' })
    expectTypeOf(
      db.selectFrom('totals').select(['status', 'n']).executeTakeFirstOrThrow(),
    ).resolves.toEqualTypeOf<{ status: string | null; n: AnyValue | null }>()
  })

  it('should limit a column to the literals of its CHECK', () => {
    db.insertInto('checked').values({ status: 'open', flag: 1 })
    // @ts-expect-error -- not among them
    db.insertInto('checked').values({ status: 'closed', flag: 1 })
    // @ts-expect-error -- not among them
    db.selectFrom('checked').where('status', '=', 'closed')
    expectTypeOf<Selectable<Checked>['status']>().toEqualTypeOf<'open' | 'done' | "it's">()
    expectTypeOf<Selectable<Checked>['priority']>().toEqualTypeOf<1 | 2 | -3>()
    expectTypeOf<Selectable<Checked>['folded']>().toEqualTypeOf<string | null>()
  })

  it('should have null where SQLite lets it be', () => {
    expectTypeOf<Selectable<TextKey>['id']>().toEqualTypeOf<string | null>()
    expectTypeOf<Selectable<StrictTable>['code']>().toEqualTypeOf<string>()
    expectTypeOf<Selectable<StrictTable>['required']>().toEqualTypeOf<AnyValue>()
    expectTypeOf<Selectable<StrictTable>['b']>().toEqualTypeOf<Uint8Array | null>()
  })

  it('should type joins, aliases and odd names', () => {
    const query = db
      .selectFrom('child as c')
      .innerJoin('no_rowid as n', 'n.code', 'c.code')
      .leftJoin('composite_key as k', (join) => join.onRef('k.a', '=', 'c.a'))
      .select(['c.id', 'n.code', 'k.value as other'])
    expectTypeOf(query.executeTakeFirstOrThrow()).resolves.toEqualTypeOf<{
      id: number
      code: string
      other: string | null
    }>()
    db.selectFrom('class').select(['new', 'constructor', '__proto__', "it's", 'quo"te', '🙂'])
    db.selectFrom('__proto__').select('id')
    db.selectFrom('constructor').select('id')
    db.selectFrom('🙂').select('id')
    // @ts-expect-error -- no such table
    db.selectFrom('broken')
    // @ts-expect-error -- Kysely's own
    db.selectFrom('kysely_migration')
  })

  it('should have the names of CamelCasePlugin', () => {
    camelCaseDb.insertInto('compositeKey').values({ value: 'x' })
    expectTypeOf(
      camelCaseDb.selectFrom('default').select(['textValue', 'numberInText']).executeTakeFirst(),
    ).resolves.toEqualTypeOf<{ textValue: string; numberInText: string | null } | undefined>()
    // @ts-expect-error -- textValue
    camelCaseDb.selectFrom('default').select('text_value')
  })
})
