import { KyselyAdapter, type Database } from '@auth/kysely-adapter'
import type { Kysely } from 'kysely'
import { inDurableObject, type Scope } from '../harness.js'

/** https://authjs.dev/getting-started/adapters/kysely */
const schema = `
  create table User (
    id text primary key, name text, email text unique not null, emailVerified text, image text
  );
  create table Account (
    userId text not null references User on delete cascade, type text not null,
    provider text not null, providerAccountId text not null, refresh_token text, access_token text,
    expires_at integer, token_type text, scope text, id_token text, session_state text
  );
  create table Session (
    userId text not null references User on delete cascade, sessionToken text unique not null,
    expires text not null
  );
  create table VerificationToken (
    identifier text not null, token text unique not null, expires text not null
  )`

export interface AuthScope extends Scope<Database> {
  readonly adapter: Required<ReturnType<typeof KyselyAdapter>>
}

/** Runs the body in an object with the tables of Auth.js, and its adapter on them. */
export function withAuthJs<T>(
  body: (scope: AuthScope) => Promise<T>,
  stub?: Scope<Database>['stub'],
): Promise<T> {
  return inDurableObject<Database, T>(
    async (scope) => {
      if (stub === undefined) {
        scope.sql.exec(schema)
      }
      // Here `kysely` is 0.28, as for the adapter; the types of the dialect are those of 0.29.
      const db = scope.db as unknown as Kysely<Database>
      return body({ ...scope, adapter: KyselyAdapter(db) as AuthScope['adapter'] })
    },
    stub === undefined ? {} : { stub },
  )
}
