import { integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Generated } from 'kysely'

export interface Database {
  person: { id: Generated<number>; name: string; email: string; age: number }
  event: {
    id: Generated<number>
    type: string
    actor: string
    target: string | null
    amount: number
    price: number
    note: string | null
    created_at: string
  }
  wide: Record<`c${number}`, string | number>
}

/** The columns of an insert into `person`. */
export interface NewPerson {
  name: string
  email: string
  age: number
}

export const person = sqliteTable('person', {
  id: integer().primaryKey(),
  name: text().notNull(),
  email: text().notNull(),
  age: integer().notNull(),
})

export const event = sqliteTable('event', {
  id: integer().primaryKey(),
  type: text().notNull(),
  actor: text().notNull(),
  target: text(),
  amount: integer().notNull(),
  price: real().notNull(),
  note: text(),
  created_at: text().notNull(),
})

const wideColumns = Array.from({ length: 20 }, (_, index) => `c${index}` as const)

/** Every other column is a text. */
export const wide = sqliteTable(
  'wide',
  Object.fromEntries(
    wideColumns.map((name, index) => [name, index % 2 === 0 ? integer() : text()]),
  ),
)

/** An empty table `person`. */
export function createPerson({ sql }: DurableObjectStorage): void {
  sql.exec(`
    create table if not exists person (
      id integer primary key, name text not null, email text not null, age integer not null
    );
    delete from person;
  `)
}

/** A table `person` of 1000 rows. */
export function fillPerson(storage: DurableObjectStorage): void {
  createPerson(storage)
  storage.sql.exec(`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
    insert into person
    select i, 'Person ' || i, 'person' || i || '@example.com', i % 100
    from n;
  `)
}

/** A table `event` of 1000 rows. */
export function fillEvent({ sql }: DurableObjectStorage): void {
  sql.exec(`
    create table if not exists event (
      id integer primary key, type text not null, actor text not null, target text,
      amount integer not null, price real not null, note text, created_at text not null
    );
    delete from event;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
    insert into event
    select i, 'payment', 'actor ' || i, iif(i % 3, 'target ' || i, null), i * 7, i * 1.5,
      iif(i % 2, null, 'a note'), '2026-11-21T00:00:00.000Z'
    from n;
  `)
}

/** A table `wide` of 100 rows and 20 columns. */
export function fillWide({ sql }: DurableObjectStorage): void {
  const columns = wideColumns.map(
    (name, index) => `${name} ${index % 2 === 0 ? 'integer' : 'text'}`,
  )
  const values = wideColumns.map((_, index) => (index % 2 === 0 ? `i * ${index}` : `'text ' || i`))
  sql.exec(`
    create table if not exists wide (${columns.join(', ')});
    delete from wide;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)
    insert into wide select ${values.join(', ')} from n;
  `)
}
