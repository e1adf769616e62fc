import { relations, sql } from 'drizzle-orm'
import {
  blob,
  customType,
  integer,
  numeric,
  real,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core'

let calls = 0

/** A number that no call before has given. */
export function nextCall(): number {
  return ++calls
}

const reversed = customType<{ data: string; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => value.split('').toReversed().join(''),
  fromDriver: (value) => value.split('').toReversed().join(''),
})

/** Each mode that drizzle-orm has for SQLite. */
export const everyMode = sqliteTable('every_mode', {
  id: integer().primaryKey(),
  integer: integer(),
  flag: integer({ mode: 'boolean' }),
  seconds: integer({ mode: 'timestamp' }),
  milliseconds: integer({ mode: 'timestamp_ms' }),
  text: text(),
  status: text({ enum: ['open', 'done'] }),
  json: text({ mode: 'json' }).$type<{ tags: string[] }>(),
  real: real(),
  numeric: numeric(),
  numericNumber: numeric('numeric_number', { mode: 'number' }),
  numericBigint: numeric('numeric_bigint', { mode: 'bigint' }),
  blob: blob({ mode: 'buffer' }),
  blobJson: blob('blob_json', { mode: 'json' }).$type<{ tags: string[] }>(),
  blobBigint: blob('blob_bigint', { mode: 'bigint' }),
  custom: reversed(),
})

export const note = sqliteTable('note', {
  id: text()
    .primaryKey()
    .$defaultFn(() => `id ${nextCall()}`),
  title: text().notNull(),
  pinned: integer({ mode: 'boolean' }).notNull().default(true),
  createdAt: integer({ mode: 'timestamp' }).$defaultFn(() => new Date(nextCall() * 1000)),
  updatedAt: integer({ mode: 'timestamp_ms' }).$onUpdateFn(() => new Date(nextCall())),
  setBySqlite: text().default(sql`'by SQLite'`),
})

export const noteRelations = relations(note, ({ many }) => ({ all: many(everyMode) }))

export const EVERY_MODE = `
  create table every_mode (
    id integer primary key, integer integer, flag integer, seconds integer, milliseconds integer,
    text text, status text, json text, real real, numeric numeric, numeric_number numeric,
    numeric_bigint numeric, blob blob, blob_json blob, blob_bigint blob, custom text
  )
`

export const sqlDefault = sqliteTable('t', {
  id: integer(),
  name: text().$defaultFn(() => sql<string>`lower('A')`),
})
