import { type OperationNode, RawNode } from 'kysely'
import { codecOf, outputOf, setCodec } from './expressions.js'
import { findJsonHelper, type JsonHelper, JsonShape, replaceJsonHelper } from './json-shape.js'
import { castToText } from './nodes.js'
import { DerivedSource } from './output.js'
import type { Scope } from './scope.js'
import { ColumnCodec, type ValueCodec } from './table-columns.js'
import { findWithCodec } from './with-codec.js'

type Visit = (node: OperationNode, scope: Scope) => OperationNode

/** The raw SQL with its parts visited, if it is of one of the forms whose values can be told. */
export function analyzeRaw(node: RawNode, scope: Scope, visit: Visit): RawNode | undefined {
  const marked = findWithCodec(node)
  if (marked !== undefined) {
    const raw = { ...RawNode.createWithChild(visit(marked.expression, scope)) }
    setCodec(raw, new ColumnCodec('An expression', marked.codec))
    return raw
  }
  const helper = findJsonHelper(node)
  return helper && analyzeJsonHelper(node, helper, scope, visit)
}

function analyzeJsonHelper(
  node: RawNode,
  { isArray, from, fields }: JsonHelper,
  outer: Scope,
  visit: Visit,
): RawNode {
  const select = from && visit(from.select, outer)
  const scope =
    from === undefined || select === undefined
      ? outer
      : outer.within([new DerivedSource(from.name, outputOf(select) ?? [])])
  const codecs = new Map<string, ValueCodec>()
  const values = fields.map(({ key, value }) => {
    const visited = visit(value, scope)
    const codec = codecOf(visited, scope)
    // Of two values with one key the last one is read.
    codecs.delete(key)
    if (codec !== undefined) {
      codecs.set(key, codec)
    }
    return codec?.isInteger === true ? castToText(visited) : visited
  })
  const helper = replaceJsonHelper(node, values, select)
  setCodec(helper, new JsonShape(isArray, [...codecs]))
  return helper
}
