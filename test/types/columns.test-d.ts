import { type ColumnType, type Generated, type Kysely, sql } from 'kysely'
import { expectTypeOf } from 'vitest'
import {
  boolean,
  codec,
  column,
  columnTypes,
  date,
  int64,
  json,
  withCodec,
} from '../../src/columns/index.js'

interface Prefs {
  theme: string
}

interface Database {
  person: {
    id: Generated<string>
    name: string
    status: 'open' | 'done'
    photo: Uint8Array | null
    active: Generated<boolean>
    born: Date | null
    seen: ColumnType<Date, Date | undefined, Date>
    prefs: Prefs
    balance: bigint
  }
  pet: { id: Generated<number>; name: string | null }
}

const person = {
  active: boolean(),
  born: date('iso'),
  seen: date('milliseconds', { default: () => new Date(), onUpdate: () => new Date() }),
  prefs: json<Prefs>(),
  balance: int64(),
}

// Columns that SQLite has a type for need nothing, and may have a default or a codec.
columnTypes<Database>({ person })
columnTypes<Database>({
  person: {
    ...person,
    id: column({ default: () => crypto.randomUUID() }),
    status: column({ default: () => 'open' }),
    name: codec({ encode: (name: string) => name.trim(), decode: String }),
  },
  pet: { name: column({ default: () => null }) },
})
columnTypes<{ pet: Database['pet'] }>({})

// The codec is inferred from the column.
columnTypes<{ person: { prefs: Prefs } }>({ person: { prefs: json() } })

// What every object has is left out like any other column or table.
columnTypes<{ pet: { constructor: string; done: boolean }; toString: { id: number } }>({
  pet: { done: boolean() },
})

// @ts-expect-error -- the table has columns that need a codec
columnTypes<Database>({})

const { active: _, ...withoutActive } = person
// @ts-expect-error -- `active` needs a codec
columnTypes<Database>({ person: withoutActive })

// @ts-expect-error -- a codec of another type
columnTypes<Database>({ person: { ...person, born: boolean() } })

// @ts-expect-error -- JSON of another type
columnTypes<Database>({ person: { ...person, prefs: json<{ theme: number }>() } })

// @ts-expect-error -- JSON of a narrower type, as which not all prefs can be written
columnTypes<Database>({ person: { ...person, prefs: json<{ theme: 'dark' }>() } })

const onlyA = codec<'a'>({ encode: String, decode: () => 'a' })
// @ts-expect-error -- a codec of some of the values alone
columnTypes<Database>({ person: { ...person, name: onlyA } })

// @ts-expect-error -- no codec at all
columnTypes<Database>({ person: { ...person, active: column({ default: () => true }) } })

columnTypes<Database>({
  person: {
    ...person,
    // @ts-expect-error -- no such column
    nope: boolean(),
  },
})

columnTypes<Database>({
  person,
  // @ts-expect-error -- no such table
  nope: { id: boolean() },
})

// @ts-expect-error -- a default of another type
columnTypes<Database>({ person: { ...person, id: column({ default: () => 1 }) } })

// @ts-expect-error -- none of the values that the column has
columnTypes<Database>({ person: { ...person, status: column({ default: () => 'lost' }) } })

// @ts-expect-error -- a format that there is none of
date('unix')

// @ts-expect-error -- a default of another type
boolean({ default: () => 1 })

declare const db: Kysely<Database>

const rows = db
  .selectFrom('person')
  .select([
    withCodec(sql`x`, date('iso')).as('at'),
    withCodec(sql<string | null>`x`, date('iso')).as('maybe'),
    withCodec(sql<string>`x`, json<Prefs>()).as('prefs'),
  ])
  .where(withCodec(sql`x`, boolean()), '=', true)
expectTypeOf(rows.execute()).resolves.toEqualTypeOf<
  { at: Date; maybe: Date | null; prefs: Prefs }[]
>()
