import type { CompiledQuery, InsertQueryNode } from 'kysely'
import { withoutLeadingComments } from './leading-comments.js'

/**
 * A statement that changes the schema: `changes()` still answers for the write before it, and SQLite
 * has no function that tells. In its grammar the first keyword decides:
 * https://www.sqlite.org/lang.html
 */
const SCHEMA_STATEMENT = /^(?:alter|analyze|create|drop|reindex)\b/i

/** Whether it is an insert, update or delete of the query builder. */
export function isWrite({ query }: CompiledQuery): boolean {
  switch (query?.kind) {
    case 'InsertQueryNode':
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
      return true
    default:
      return false
  }
}

/** Whether it is a statement that changes the schema, and no rows. */
export function isSchemaStatement(query: CompiledQuery): boolean {
  return !isWrite(query) && SCHEMA_STATEMENT.test(withoutLeadingComments(query.sql))
}

/** Whether the insert may turn into an update: `on conflict … do update`. */
export function mayUpdate({ onConflict }: InsertQueryNode): boolean {
  return onConflict !== undefined && onConflict.doNothing !== true
}
