import type { Generated } from 'kysely'
import { inDurableObject, type Options, type Scope } from './harness.js'

export interface PersonDatabase {
  person: { id: Generated<number>; name: string }
}

/** Runs the body inside a Durable Object that has the table. */
export function withPerson<T>(
  body: (scope: Scope<PersonDatabase>) => Promise<T>,
  options?: Options,
): Promise<T> {
  return inDurableObject<PersonDatabase, T>(async (scope) => {
    await scope.exec('create table if not exists person (id integer primary key, name text unique)')
    return body(scope)
  }, options)
}
