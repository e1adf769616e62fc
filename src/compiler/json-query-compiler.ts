import {
  type BinaryOperationNode,
  type CompiledQuery,
  InsertQueryNode,
  type OperationNode,
  type QueryId,
  type RawNode,
  ReferenceNode,
  type RootOperationNode,
  ValueListNode,
  type ValuesNode,
} from 'kysely'
import { type QueryOfParameters, toSqliteParameter } from '../statement/parameters.js'
import { BaseQueryCompiler } from './base-query-compiler.js'
import { isInOperator } from './in-operator.js'
import { inDocuments } from './json-text.js'
import { type JsonValues, toJsonList, toJsonRows } from './plain-values.js'
import { findRawList } from './raw-list.js'
import type { RowFunction } from './row-function.js'
import { type Shared, Source, type Token, toStatement, Value } from './statement.js'
import { toOneSource } from './union-all.js'

/**
 * Compiles a query that would bind too many parameters, to one that takes its values out of JSON texts:
 *
 * - `in (?, …)` becomes `in (select +value from json_each(?))`,
 * - `values (?, …), …` becomes `select value ->> 0, … from jsonb_each(?)`,
 * - where that does not suffice, every other value becomes `(?1 ->> 0)`, by its position.
 *
 * The first two are for what {@link toJsonList} and {@link toJsonRows} take. Nothing else is written in
 * another way than below the limit.
 *
 * Throws `ERR_TOO_MANY_PARAMETERS` if there are too many for that as well.
 */
export function compileToJsonParameters(
  node: RootOperationNode,
  queryId: QueryId,
  rowFunction: RowFunction = 'json_each',
  shared?: Shared,
): CompiledQuery {
  return new JsonQueryCompiler(rowFunction, shared).compileQuery(node, queryId)
}

/** SQLite takes no function in the frame of a window: https://www.sqlite.org/windowfunctions.html */
const BEFORE_FRAME_WORD = /^[^,(]*?\b(?:preceding|following)\b/i

/** Where a comparison may be put in parentheses and keep its meaning. */
const CONDITIONS: ReadonlySet<OperationNode['kind'] | undefined> = new Set([
  'WhereNode',
  'HavingNode',
  'OnNode',
  'AndNode',
  'OrNode',
  'ParensNode',
])

class JsonQueryCompiler extends BaseQueryCompiler {
  readonly #rowFunction: RowFunction
  readonly #shared: Shared | undefined
  readonly #tokens: Token[] = []
  #query: QueryOfParameters | undefined
  /** How many parameters the query would have had so far. */
  #count = 0
  /** Whether the values that follow are in the frame of a window. */
  #isInFrame = false

  constructor(rowFunction: RowFunction, shared: Shared | undefined) {
    super()
    this.#rowFunction = rowFunction
    this.#shared = shared
  }

  override compileQuery(query: RootOperationNode, queryId: QueryId): CompiledQuery {
    this.#query = { query }
    this.visitNode(query)
    return Object.freeze({ query, queryId, ...toStatement(this.#tokens, this.#shared) })
  }

  protected override append(text: string): void {
    this.#tokens.push(text)
  }

  // A value is appended where its placeholder would be.

  protected override addParameter(value: unknown): void {
    const parameter = toSqliteParameter(value, this.#count++, this.#query)
    this.#tokens.push(new Value(parameter, this.#isInFrame))
  }

  protected override getCurrentParameterPlaceholder(): string {
    return ''
  }

  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const { leftOperand, operator, rightOperand } = node
    if (!isInOperator(operator)) {
      super.visitBinaryOperation(node)
      return
    }
    const start = this.#tokens.length
    this.visitNode(leftOperand)
    const left = this.#tokens.slice(start)
    this.append(' ')
    this.visitNode(operator)
    this.append(' ')
    const list = this.#takeList(
      rightOperand,
      ReferenceNode.is(leftOperand) && CONDITIONS.has(this.parentNode?.kind),
    )
    if (list === undefined) {
      this.visitNode(rightOperand)
    } else if (list.realElements === undefined) {
      this.#tokens.push('(', ...this.#toSelect(list), ')')
    } else {
      this.#appendExceptRounded(start, left, list, list.realElements)
    }
  }

  protected override visitRaw({ sqlFragments, parameters }: RawNode): void {
    const isInFrame = this.#isInFrame
    for (const [i, fragment] of sqlFragments.entries()) {
      this.append(fragment)
      const parameter = parameters[i]
      if (parameter === undefined) {
        continue
      }
      const next = sqlFragments[i + 1] ?? ''
      const values = findRawList(parameter, fragment, next)
      const list = values && this.#takeList(values, false)
      if (list === undefined) {
        this.#isInFrame = isInFrame || BEFORE_FRAME_WORD.test(next)
        this.visitNode(parameter)
        this.#isInFrame = isInFrame
      } else {
        this.#tokens.push(...this.#toSelect(list))
      }
    }
  }

  protected override visitValues(node: ValuesNode): void {
    const insert = this.parentNode
    const rows =
      insert !== undefined && InsertQueryNode.is(insert)
        ? toJsonRows(node.values, this.#count, this.#query)
        : undefined
    if (rows === undefined) {
      super.visitValues(node)
      return
    }
    this.#count += rows.count
    this.#tokens.push(...this.#toSelect(rows))
    if ((insert as InsertQueryNode).onConflict !== undefined) {
      // Without it SQLite reads `on` as that of a join: https://www.sqlite.org/lang_upsert.html
      this.append(' where true')
    }
  }

  /** The list in JSON, if it can be. Its parameters are then counted. */
  #takeList(node: OperationNode, mayRepeatLeft: boolean): JsonValues | undefined {
    const list =
      ValueListNode.is(node) && node.values[0]?.kind === 'TupleNode'
        ? toJsonRows(node.values, this.#count, this.#query)
        : toJsonList(node, this.#count, this.#query)
    if (list === undefined || (list.realElements !== undefined && !mayRepeatLeft)) {
      return undefined
    }
    this.#count += list.count
    return list
  }

  #toSelect({ elements, isOfRows, selection }: JsonValues): Token[] {
    const each = isOfRows ? this.#rowFunction : 'json_each'
    const sources = inDocuments(elements).map((document) => [new Source(each, document)])
    return [`select ${selection} from `, ...toOneSource(sources)]
  }

  /**
   * Appends the list, but for what it finds because SQLite has rounded it for a REAL:
   *
   * ```sql
   * (x in (select +value from json_each(?)) and (typeof(x) <> 'real' or x in (select +value from json_each(?))))
   * ```
   */
  #appendExceptRounded(
    start: number,
    left: readonly Token[],
    list: JsonValues,
    realElements: readonly string[],
  ): void {
    const operator = this.#tokens.slice(start + left.length)
    const isNegated = operator.includes('not in')
    const among = (list: JsonValues): Token[] => [
      ...left,
      ...operator,
      '(',
      ...this.#toSelect(list),
      ')',
    ]
    this.#tokens.splice(
      start,
      Infinity,
      '(',
      ...among(list),
      ...(isNegated
        ? [' or (typeof(', ...left, ") = 'real'"]
        : [' and (typeof(', ...left, ") <> 'real'"]),
      ...(realElements.length === 0
        ? []
        : [isNegated ? ' and ' : ' or ', ...among({ ...list, elements: realElements })]),
      '))',
    )
  }
}
