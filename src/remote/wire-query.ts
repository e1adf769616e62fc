import {
  type CompiledQuery,
  createQueryId,
  InsertQueryNode,
  type RootOperationNode,
  TableNode,
} from 'kysely'
import { toDurableObjectSqliteError } from '../platform/errors.js'
import { toSqliteParameters } from '../statement/parameters.js'

/**
 * What the object needs to know of a query beside its SQL, to tell how many rows it changed and which id
 * it made: the kind of its node and, of an insert, where to and what a conflict does.
 */
export type QueryOutline =
  | Exclude<RootOperationNode['kind'], 'InsertQueryNode'>
  | {
      readonly into: string | undefined
      readonly onConflict: 'nothing' | 'update' | undefined
    }

/**
 * The query to be sent. Throws `ERR_UNSUPPORTED_PARAMETER` for a value that SQLite would store as
 * something else, here where the nodes tell for which column it is: they do not travel.
 */
export function toWireQuery(query: CompiledQuery): WireQuery {
  const { sql } = query
  try {
    const parameters = toSqliteParameters(query.parameters, query)
    return { sql, parameters: parameters.map(toWireParameter), outline: outlineOf(query.query) }
  } catch (error) {
    throw toDurableObjectSqliteError(error, sql)
  }
}

/** A view of a larger buffer would travel with all of that. */
function toWireParameter(value: unknown): unknown {
  return ArrayBuffer.isView(value) && value.byteLength < value.buffer.byteLength
    ? value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
    : value
}

function outlineOf(node: RootOperationNode): QueryOutline {
  if (node.kind !== 'InsertQueryNode') {
    return node.kind
  }
  const { into, onConflict } = node
  return {
    into: into?.table.identifier.name,
    onConflict: onConflict && (onConflict.doNothing === true ? 'nothing' : 'update'),
  }
}

/** A compiled query whose parameters are values that SQLite stores as what they are. */
export interface WireQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly outline: QueryOutline
}

/** One for all: the object's Kysely has no plugin that would look for its query again. */
const QUERY_ID = createQueryId()

/** A compiled query that the object's dialect runs as it would run the one that the Worker has. */
export function fromWireQuery({ sql, parameters, outline }: WireQuery): CompiledQuery {
  return { sql, parameters, query: toNode(outline), queryId: QUERY_ID }
}

function toNode(outline: QueryOutline): RootOperationNode {
  if (typeof outline === 'string') {
    return { kind: outline } as RootOperationNode
  }
  const { into, onConflict } = outline
  const node = InsertQueryNode.create(TableNode.create(into ?? ''))
  return onConflict === undefined
    ? node
    : { ...node, onConflict: { kind: 'OnConflictNode', doNothing: onConflict === 'nothing' } }
}
