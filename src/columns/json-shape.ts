import { type OperationNode, RawNode, SelectQueryNode, ValueNode } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { SqlStorageValue } from '../platform/storage.js'
import type { ValueCodec } from './table-columns.js'

/** What `jsonArrayFrom`, `jsonObjectFrom` or `jsonBuildObject` of `kysely/helpers/sqlite` made. */
export interface JsonHelper {
  readonly isArray: boolean
  /** The sub-select, and the name by which its columns are referred to. */
  readonly from: { readonly select: SelectQueryNode; readonly name: string } | undefined
  /** The keys and values of the objects. */
  readonly fields: readonly { readonly key: string; readonly value: OperationNode }[]
}

/** As Kysely 0.28 and 0.29 write them: https://github.com/kysely-org/kysely/blob/master/src/helpers/sqlite.ts */
const FORMS = [
  {
    fragments: ['(select coalesce(json_group_array(json_object(', ")), '[]') from ", ' as agg)'],
    isArray: true,
    name: 'agg',
  },
  { fragments: ['(select json_object(', ') from ', ' as obj)'], isArray: false, name: 'obj' },
  { fragments: ['json_object(', ')'], isArray: false, name: undefined },
] as const

export function findJsonHelper({ sqlFragments, parameters }: RawNode): JsonHelper | undefined {
  const form = FORMS.find(
    ({ fragments }) =>
      fragments.length === sqlFragments.length &&
      fragments.every((fragment, i) => fragment === sqlFragments[i]),
  )
  const fields = form && fieldsOf(parameters[0]!)
  if (form === undefined || fields === undefined) {
    return undefined
  }
  const { isArray, name } = form
  if (name === undefined) {
    return { isArray, fields, from: undefined }
  }
  const select = parameters[1]
  return select !== undefined && SelectQueryNode.is(select)
    ? { isArray, fields, from: { select, name } }
    : undefined
}

/** The same helper around other nodes. */
export function replaceJsonHelper(
  node: RawNode,
  values: readonly OperationNode[],
  select: OperationNode | undefined,
): RawNode {
  const list = node.parameters[0] as RawNode
  let index = 0
  const parameters = list.parameters.map((parameter, i) =>
    i % 4 === 2 ? values[index++]! : parameter,
  )
  return {
    ...node,
    parameters: [{ ...list, parameters } as RawNode, ...(select === undefined ? [] : [select])],
  }
}

/** What `sql.join()` made of keys and values, with a separator after each but the last. */
function fieldsOf(list: OperationNode): JsonHelper['fields'] | undefined {
  if (!RawNode.is(list) || list.sqlFragments.some(Boolean)) {
    return undefined
  }
  const fields: { key: string; value: OperationNode }[] = []
  for (let i = 0; i < list.parameters.length; i += 4) {
    const key = keyOf(list.parameters[i]!)
    const value = list.parameters[i + 2]
    if (key === undefined || value === undefined) {
      return undefined
    }
    fields.push({ key, value })
  }
  return fields
}

/** A literal, or `sql.lit()` of one. */
function keyOf(node: OperationNode): string | undefined {
  if (RawNode.is(node)) {
    return node.parameters.length === 1 && !node.sqlFragments.some(Boolean)
      ? keyOf(node.parameters[0]!)
      : undefined
  }
  return ValueNode.is(node) && node.immediate === true && typeof node.value === 'string'
    ? node.value
    : undefined
}

/** Reads the JSON of a helper, and the values in it by the codecs of the columns they come from. */
export class JsonShape implements ValueCodec {
  readonly isInteger = false
  readonly #isArray: boolean
  readonly #fields: readonly (readonly [key: string, codec: ValueCodec])[]

  constructor(isArray: boolean, fields: readonly (readonly [key: string, codec: ValueCodec])[]) {
    this.#isArray = isArray
    this.#fields = fields
  }

  isLike(other: ValueCodec): boolean {
    return (
      other instanceof JsonShape &&
      other.#isArray === this.#isArray &&
      other.#fields.length === this.#fields.length &&
      other.#fields.every(([key, codec], i) => {
        const [ownKey, ownCodec] = this.#fields[i]!
        return key === ownKey && codec.isLike(ownCodec)
      })
    )
  }

  readonly decode = (value: Exclude<SqlStorageValue, null>): unknown => {
    const json: unknown = typeof value === 'string' ? parse(value) : value
    // Within other JSON it arrives parsed, or as text.
    if (this.#fields.length > 0) {
      for (const object of Array.isArray(json) ? json : [json]) {
        this.#decodeFields(object as Record<string, Exclude<SqlStorageValue, null> | null>)
      }
    }
    return json
  }

  #decodeFields(object: Record<string, SqlStorageValue> | null): void {
    if (object === null) {
      return
    }
    for (const [key, { decode }] of this.#fields) {
      const value = object[key]
      if (value !== null && value !== undefined) {
        object[key] = decode(value) as SqlStorageValue
      }
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DurableObjectSqliteError(
      'ERR_COLUMN_VALUE',
      `A JSON helper gave text of ${text.length} characters, which is no JSON.`,
      { cause: error },
    )
  }
}
