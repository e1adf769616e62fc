import type { Generated } from 'kysely'
import { boolean, codec, columnTypes, date, int64, json } from '../../src/columns/index.js'
import { inDurableObject, type Options, type Scope } from '../harness.js'

export interface Prefs {
  theme: string
  tags?: string[]
}

export interface PeopleDatabase {
  person: {
    id: Generated<number>
    name: string
    active: Generated<boolean>
    born: Date | null
    seen: Date | null
    prefs: Prefs | null
    balance: bigint | null
    homepage: URL | null
  }
  pet: {
    id: Generated<number>
    owner_id: number
    name: string
    /** Of the same name as a column of `person` that is a boolean; here it is just a number. */
    active: number
    chipped: boolean
    seen: Date | null
  }
}

export const peopleColumns = columnTypes<PeopleDatabase>({
  person: {
    active: boolean({ default: () => true }),
    born: date('milliseconds'),
    seen: date('iso'),
    prefs: json<Prefs>(),
    balance: int64(),
    homepage: codec({
      encode: (url: URL) => url.href,
      decode: (stored) => new URL(String(stored)),
    }),
  },
  pet: { chipped: boolean(), seen: date('seconds') },
})

export const PEOPLE_SCHEMA = `
  create table if not exists person (
    id integer primary key,
    name text,
    active integer not null,
    born integer,
    seen text,
    prefs text,
    balance integer,
    homepage text
  );
  create table if not exists pet (
    id integer primary key,
    owner_id integer not null,
    name text,
    active integer not null,
    chipped integer not null,
    seen integer
  );
`

/** Runs the body inside a Durable Object that has the tables. */
export function withPeople<T>(
  body: (scope: Scope<PeopleDatabase>) => T | Promise<T>,
  { dialect, ...options }: Options = {},
): Promise<T> {
  return inDurableObject<PeopleDatabase, T>(
    (scope) => {
      scope.sql.exec(PEOPLE_SCHEMA)
      return body(scope)
    },
    { ...options, dialect: { columns: peopleColumns, ...dialect } },
  )
}
