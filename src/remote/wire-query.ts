import {
  type CompiledQuery,
  createQueryId,
  InsertQueryNode,
  OrActionNode,
  RawNode,
  type RootOperationNode,
  TableNode,
  UpdateQueryNode,
} from 'kysely'
import { toDurableObjectSqliteError } from '../platform/errors.js'
import { planOf, withPlan } from '../statement/query-columns.js'
import { RAW_ROWS } from './raw-row.js'
import { toSqliteParameters } from '../statement/parameters.js'
import { changesOfSeveralRows } from '../statement/several-rows.js'

/**
 * What the object needs to know of a query beside its SQL, to tell how many rows it changed, which id it
 * made, and whether it may leave rows when it fails: the kind of its node and, of a write, a little more.
 */
export type QueryOutline =
  | Exclude<RootOperationNode['kind'], 'InsertQueryNode'>
  | InsertOutline
  | { readonly updatesSeveralOf: string }

interface InsertOutline {
  readonly into: string | undefined
  readonly onConflict: 'nothing' | 'update' | undefined
  /** Of an insert of several rows: whether it says what to do about a conflict. */
  readonly severalWithClause: boolean | undefined
}

/**
 * The query to be sent. Throws `ERR_UNSUPPORTED_PARAMETER` for a value that SQLite would store as
 * something else, here where the nodes tell for which column it is: they do not travel.
 */
export function toWireQuery(query: CompiledQuery): WireQuery {
  const { sql } = query
  try {
    const bound = planOf(query)?.bind(query, query.parameters)
    const { query: sent = query, parameters = query.parameters } = bound ?? {}
    const values = toSqliteParameters(parameters, sent)
    return {
      sql: sent.sql,
      parameters: values.map(toWireParameter),
      outline: outlineOf(sent.query),
    }
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

function outlineOf(node: RootOperationNode | undefined): QueryOutline {
  const several = changesOfSeveralRows(node)
  if (node?.kind !== 'InsertQueryNode') {
    // One that was compiled elsewhere may have no node.
    return several === undefined ? (node?.kind ?? 'RawNode') : { updatesSeveralOf: several.table }
  }
  const { into, onConflict } = node
  return {
    into: into?.table.identifier.name,
    onConflict: onConflict && (onConflict.doNothing === true ? 'nothing' : 'update'),
    severalWithClause: several?.hasConflictClause,
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
  return withPlan({ sql, parameters, query: toNode(outline), queryId: QUERY_ID }, RAW_ROWS)
}

function toNode(outline: QueryOutline): RootOperationNode {
  if (typeof outline === 'string') {
    return outline === 'UpdateQueryNode' ? ONE_UPDATE : ({ kind: outline } as RootOperationNode)
  }
  if ('updatesSeveralOf' in outline) {
    return UpdateQueryNode.create([TableNode.create(outline.updatesSeveralOf)])
  }
  const { into, onConflict, severalWithClause } = outline
  const node = InsertQueryNode.create(TableNode.create(into ?? ''))
  return {
    ...node,
    ...(severalWithClause === undefined ? undefined : { values: SEVERAL_ROWS }),
    ...(severalWithClause === true ? { orAction: OrActionNode.create('clause') } : undefined),
    ...(onConflict === undefined
      ? undefined
      : { onConflict: { kind: 'OnConflictNode', doNothing: onConflict === 'nothing' } }),
  }
}

/** Sets all rows alike, as far as is known. */
const ONE_UPDATE: UpdateQueryNode = { kind: 'UpdateQueryNode', updates: [] }

/** Stands for any number of rows. */
const SEVERAL_ROWS = RawNode.createWithSql('')
