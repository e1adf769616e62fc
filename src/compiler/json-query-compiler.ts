import {
  AndNode,
  BinaryOperationNode,
  type CaseNode,
  type CompiledQuery,
  DefaultInsertValueNode,
  InsertQueryNode,
  type OperationNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  type QueryId,
  RawNode,
  ReferenceNode,
  type RootOperationNode,
  TupleNode,
  ValueListNode,
  ValueNode,
  type ValuesNode,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { MAX_PARAMETERS, MAX_VALUE_BYTES } from '../platform/limits.js'
import {
  type QueryOfParameters,
  type SqliteParameter,
  toIntegerText,
  toSqliteParameter,
} from '../statement/parameters.js'
import { BaseQueryCompiler } from './base-query-compiler.js'
import {
  inDocuments,
  isBlob,
  isPlainText,
  JsonArray,
  MAX_ROW_BYTES,
  sizeOf,
  toJson,
  toJsonOfSize,
} from './json-text.js'
import { isInOperator } from './in-operator.js'
import { type Cell, fillSlots, RowColumn, valueCell } from './row-column.js'
import { toOneSource } from './set-operations.js'
import type { RowFunction } from './row-function.js'
import { Parameter, Slot, type Token, toStatement } from './statement.js'

/** What travels in JSON texts that the whole query shares, beside the lists and rows that have their own. */
type Shared = 'nothing' | 'values' | 'values and lists'

const STEPS: readonly Shared[] = ['nothing', 'values', 'values and lists']

/**
 * Compiles a query that would bind too many parameters, to one that takes its values out of JSON texts:
 *
 * - `in (?, …)` becomes `in (select +value from json_each(?))`,
 * - `values (?, …), …` becomes `select value ->> 0, … from jsonb_each(?)`,
 * - a long `case` becomes a sub-select from such rows,
 * - where that does not suffice, every other value becomes `(?1 ->> 0)`, by its position.
 *
 * Throws `ERR_TOO_MANY_PARAMETERS` if there are too many for that as well.
 */
export function compileToJsonParameters(
  node: RootOperationNode,
  queryId: QueryId,
  rowFunction: RowFunction = 'json_each',
): CompiledQuery {
  let count = 0
  for (const shared of STEPS) {
    const query = new JsonQueryCompiler(shared, rowFunction).compileQuery(node, queryId)
    count = query.parameters.length
    if (count <= MAX_PARAMETERS) {
      return query
    }
  }
  throw new DurableObjectSqliteError(
    'ERR_TOO_MANY_PARAMETERS',
    `The values of the query are so large that they take ${count} parameters of ${MAX_VALUE_BYTES} ` +
      `bytes, and the platform allows ${MAX_PARAMETERS}. Send them in several queries, inside ` +
      'db.transaction() if they belong together.',
  )
}

/** A `case` of fewer terms stays as it is. */
const MIN_CASE_TERMS = 20

/** The names of what a sub-select reads from: none that a user's query is likely to mean. */
const ROW = '_row'
const ROW_VALUE = '_value'
const CASE = '_case'

/** `x in (${sql.join(values)})`: what stands before the values and after. */
const BEFORE_LIST = /\bin[ \t]*\([ \t]*$/i
const AFTER_LIST = /^\s*\)/

class JsonQueryCompiler extends BaseQueryCompiler {
  readonly #shared: Shared
  readonly #rowFunction: RowFunction
  readonly #documents: { readonly array: JsonArray; readonly parameter: Parameter }[] = []
  /** For errors. */
  #whole: QueryOfParameters | undefined
  #tokens: Token[] = []
  /** The JSON of the slots of the cell that is being compiled. */
  #slots: string[] | undefined
  /** A value of more bytes of JSON is bound for itself. */
  #maxSlotSize = MAX_ROW_BYTES
  /** How many parameters the query would have had so far. */
  #count = 0

  constructor(shared: Shared, rowFunction: RowFunction) {
    super()
    this.#rowFunction = rowFunction
    this.#shared = shared
  }

  override compileQuery(query: RootOperationNode, queryId: QueryId): CompiledQuery {
    this.#whole = { query }
    this.visitNode(query)
    const { sql, parameters } = toStatement(this.#tokens)
    return Object.freeze({
      query,
      queryId,
      sql,
      parameters: parameters.map((value) => (value instanceof JsonArray ? String(value) : value)),
    })
  }

  protected override append(text: string): void {
    this.#tokens.push(text)
  }

  protected override appendValue(value: unknown): void {
    if (typeof value === 'bigint') {
      this.append('cast(')
      this.#appendParameter(toIntegerText(value))
      this.append(' as integer)')
      this.#count++
    } else {
      this.#appendParameter(toSqliteParameter(value, this.#count++, this.#whole))
    }
  }

  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const { leftOperand, operator, rightOperand } = node
    if (this.#slots !== undefined || !isInOperator(operator) || !isListOfValues(rightOperand)) {
      super.visitBinaryOperation(node)
      return
    }
    this.visitNode(leftOperand)
    this.append(' ')
    this.visitNode(operator)
    this.append(' (')
    this.#appendList(rightOperand)
    this.append(')')
  }

  protected override visitRaw({ sqlFragments, parameters }: RawNode): void {
    for (const [i, fragment] of sqlFragments.entries()) {
      this.append(fragment)
      const parameter = parameters[i]
      if (parameter === undefined) {
        continue
      }
      // A placeholder is never part of a comment or of a string, so what surrounds it is SQL.
      const list =
        this.#slots === undefined &&
        BEFORE_LIST.test(fragment) &&
        AFTER_LIST.test(sqlFragments[i + 1] ?? '')
          ? joinedValues(parameter)
          : undefined
      if (list === undefined) {
        this.visitNode(parameter)
      } else {
        this.#appendList(ValueListNode.create(list))
      }
    }
  }

  protected override visitValues(node: ValuesNode): void {
    const insert = this.parentNode
    if (insert === undefined || !InsertQueryNode.is(insert)) {
      super.visitValues(node)
      return
    }
    this.#appendRows(node.values)
    if (insert.onConflict !== undefined) {
      // Without it SQLite reads `on` as that of a join: https://www.sqlite.org/lang_upsert.html
      this.append(' where true')
    }
  }

  protected override visitCase(node: CaseNode): void {
    if (this.#slots !== undefined || !this.#appendCase(node)) {
      super.visitCase(node)
    }
  }

  /** Appends the select that yields the values of a list, or its rows. */
  #appendList(list: PrimitiveValueListNode | ValueListNode): void {
    if (ValueListNode.is(list) && list.values.every((value) => TupleNode.is(value))) {
      this.#appendTuples(list.values)
      return
    }
    const elements = PrimitiveValueListNode.is(list)
      ? this.#toPlainJson(list.values, (value) => this.#toPlainValue(value))
      : this.#toPlainJson(list.values, (value) => this.#toPlainCell(value))
    if (elements === undefined) {
      const values = PrimitiveValueListNode.is(list)
        ? list.values.map(ValueNode.create)
        : list.values
      this.#appendRows(values.map((value) => ValueListNode.create([value])))
    } else {
      // The values of a list have no affinity. Those of a column, such as `value`, have one, which the
      // plus takes away: https://www.sqlite.org/datatype3.html#affinity_of_comparison_operands
      this.append('select +value from ')
      this.#appendSource('json_each', elements)
    }
  }

  /**
   * Appends the select that yields tuples. SQLite compares all of them with the affinities that the
   * last one has, and of values only a bigint has one, because it is cast.
   */
  #appendTuples(tuples: readonly TupleNode[]): void {
    const last = tuples.at(-1)!
    if (!last.values.some(isBigint)) {
      this.#appendRows(tuples)
      return
    }
    if (tuples.length > 1) {
      this.#appendRows(tuples.slice(0, -1))
      this.append(' union all ')
    }
    this.append('select ')
    this.compileList(last.values)
  }

  /** Appends the select that yields the rows. */
  #appendRows(rows: readonly RowNode[]): void {
    const plain = this.#toPlainJson(rows, (row) => this.#toPlainRow(row))
    if (plain !== undefined) {
      const columns = Array.from({ length: valuesOf(rows[0]!).length }, (_, i) => `value ->> ${i}`)
      this.append(`select ${columns.join(', ')} from `)
      this.#appendSource(this.#rowFunction, plain)
      return
    }
    const cells = rows.map((row) => this.#toCells(valueNodesOf(row)))
    const columns = toColumns(cells)
    // An expression may name columns of the tables around it or within it, but never of the JSON function.
    const hasExpressions = rows.some((row) => !valueNodesOf(row).every(isValue))
    let separator = 'select '
    for (const column of columns) {
      this.append(separator)
      this.#tokens.push(...column.cellSql(hasExpressions ? `${ROW}.${ROW_VALUE}` : 'value'))
      separator = ', '
    }
    this.append(' from ')
    this.append(hasExpressions ? `(select value as ${ROW_VALUE} from ` : '')
    this.#appendSource(this.#rowFunction, toJsonRows(cells, columns))
    this.append(hasExpressions ? `) as ${ROW}` : '')
  }

  /**
   * Appends a `case` whose terms are all of one form as a select from the values in them, and returns
   * true: `(select result from values where condition limit 1)`. Returns false for any other.
   */
  #appendCase({ value, when, else: otherwise, isStatement }: CaseNode): boolean {
    const terms = when ?? []
    if (
      terms.length < MIN_CASE_TERMS ||
      isStatement === true ||
      (value !== undefined && !ReferenceNode.is(value)) ||
      (otherwise !== undefined && !isSimple(otherwise)) ||
      !terms.every(({ condition, result }) => isSimple(condition) && isSimple(result))
    ) {
      return false
    }
    const count = this.#count
    const cells = terms.map(({ condition, result }) => this.#toCells([condition, result!]))
    const columns = toColumns(cells)
    const [condition, result] = columns.map(({ onlyShape }) => onlyShape)
    if (condition === undefined || result === undefined) {
      this.#count = count
      return false
    }
    const slots = columns.flatMap((column, i) =>
      Array.from({ length: column.slotCount }, (_, slot) => ({
        name: slotName(i, slot),
        sql: column.slotSql('value', slot),
      })),
    )
    this.append(
      `(with ${CASE}(${slots.map(({ name }) => name).join(', ')}) as materialized (select `,
    )
    this.append(slots.map(({ sql }) => sql).join(', '))
    this.append(' from ')
    this.#appendSource(this.#rowFunction, toJsonRows(cells, columns))
    this.append(') select +')
    this.#tokens.push(...fillSlots(result, (slot) => `${CASE}.${slotName(1, slot)}`))
    this.append(` from ${CASE} where `)
    if (value !== undefined) {
      this.visitNode(value)
      this.append(' = ')
    }
    this.#tokens.push(...fillSlots(condition, (slot) => `${CASE}.${slotName(0, slot)}`))
    if (otherwise !== undefined) {
      this.append(' union all select +(')
      this.visitNode(otherwise)
      this.append(')')
    }
    this.append(' limit 1)')
    return true
  }

  /** Appends the value: a slot within a cell, else shared or bound. */
  #appendParameter(value: SqliteParameter): void {
    const json =
      this.#slots === undefined && this.#shared === 'nothing'
        ? undefined
        : toJsonOfSize(value, this.#maxSlotSize)
    if (json === undefined) {
      this.#tokens.push(new Parameter(value))
      return
    }
    this.append(isBlob(value) ? 'unhex(' : '(')
    if (this.#slots === undefined) {
      const { parameter, index } = this.#share(json)
      this.#tokens.push(parameter, ` ->> ${index}`)
    } else {
      this.#tokens.push(new Slot(this.#slots.push(json) - 1))
    }
    this.append(')')
  }

  /** Appends what yields the elements as rows with the column `value`, in their order. */
  #appendSource(each: RowFunction, elements: readonly string[]): void {
    const sources = inDocuments(elements).map((document): Token[] => {
      if (this.#shared !== 'values and lists') {
        return [`${each}(`, new Parameter(document), ')']
      }
      const { parameter, index } = this.#share(String(document))
      return [`${each}(`, parameter, `, '$[${index}]')`]
    })
    this.#tokens.push(...toOneSource(sources))
  }

  /** Puts the JSON in a text for the whole query. */
  #share(json: string): { readonly parameter: Parameter; readonly index: number } {
    let document = this.#documents.at(-1)
    let index = document?.array.add(json)
    if (document === undefined || index === undefined) {
      const array = new JsonArray()
      document = { array, parameter: new Parameter(array) }
      this.#documents.push(document)
      index = array.add(json)!
    }
    return { parameter: document.parameter, index }
  }

  /** The JSON of all items, or undefined if one of them takes more than JSON. */
  #toPlainJson<T>(
    items: readonly T[],
    toPlain: (item: T) => string | undefined,
  ): string[] | undefined {
    const count = this.#count
    const all: string[] = []
    for (const item of items) {
      const json = toPlain(item)
      if (json === undefined || sizeOf(json) > MAX_ROW_BYTES) {
        this.#count = count
        return undefined
      }
      all.push(json)
    }
    return all
  }

  #toPlainRow(row: RowNode): string | undefined {
    let json = ''
    const isPrimitive = PrimitiveValueListNode.is(row)
    const { values } = row
    for (let i = 0; i < values.length; i++) {
      const cell = isPrimitive
        ? this.#toPlainValue(values[i])
        : this.#toPlainCell(values[i] as OperationNode)
      if (cell === undefined) {
        return undefined
      }
      json += (i === 0 ? '[' : ',') + cell
    }
    return `${json}]`
  }

  #toPlainCell(node: OperationNode): string | undefined {
    if (DefaultInsertValueNode.is(node)) {
      return 'null'
    }
    if (!ValueNode.is(node)) {
      return undefined
    }
    return node.immediate === true ? literalToJson(node.value) : this.#toPlainValue(node.value)
  }

  #toPlainValue(value: unknown): string | undefined {
    const index = this.#count++
    // Nearly all values are such texts, or numbers.
    if (typeof value === 'string' && isPlainText(value)) {
      return `"${value}"`
    }
    if (typeof value === 'bigint') {
      return toIntegerText(value)
    }
    const parameter = toSqliteParameter(value, index, this.#whole)
    return isBlob(parameter) ? undefined : toJson(parameter)
  }

  /** The cells of a row. The largest values are bound where the row would not fit in a JSON text. */
  #toCells(nodes: readonly OperationNode[]): Cell[] {
    const count = this.#count
    const cells = nodes.map((node) => this.#toCell(node))
    const values = cells.flatMap((cell) => cell.values)
    if (values.reduce((size, json) => size + sizeOf(json), 0) <= MAX_ROW_BYTES) {
      return cells
    }
    this.#count = count
    this.#maxSlotSize = Math.floor(MAX_ROW_BYTES / values.length)
    const smaller = nodes.map((node) => this.#toCell(node))
    this.#maxSlotSize = MAX_ROW_BYTES
    return smaller
  }

  #toCell(node: OperationNode): Cell {
    const count = this.#count
    const json = this.#toPlainCell(node)
    if (json !== undefined && sizeOf(json) <= this.#maxSlotSize) {
      return valueCell(json)
    }
    this.#count = count
    const outer = this.#tokens
    const tokens: Token[] = (this.#tokens = [])
    const values: string[] = (this.#slots = [])
    this.visitNode(node)
    this.#tokens = outer
    this.#slots = undefined
    return { tokens, values }
  }
}

type RowNode = PrimitiveValueListNode | ValueListNode | TupleNode

function valuesOf(row: RowNode): readonly unknown[] {
  return row.values
}

function valueNodesOf(row: RowNode): readonly OperationNode[] {
  return PrimitiveValueListNode.is(row) ? row.values.map(ValueNode.create) : row.values
}

function toColumns(rows: readonly (readonly Cell[])[]): RowColumn[] {
  return (rows[0] ?? []).map(
    (_, i) =>
      new RowColumn(
        i,
        rows.map((cells) => cells[i]!),
      ),
  )
}

function toJsonRows(rows: readonly unknown[], columns: readonly RowColumn[]): string[] {
  return rows.map((_, row) => `[${columns.map((column) => column.toJson(row)).join(',')}]`)
}

function slotName(column: number, slot: number): string {
  return `${column === 0 ? '_when' : '_then'}${slot}`
}

/** A literal of the SQL text as JSON. A number that is written without a point is an INTEGER in both. */
function literalToJson(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : undefined
    case 'boolean':
      return value ? '1' : '0'
    case 'bigint':
      return String(value)
    default:
      return value === null ? 'null' : undefined
  }
}

function isValue(node: OperationNode): boolean {
  return ValueNode.is(node) || DefaultInsertValueNode.is(node)
}

function isBigint(node: OperationNode): boolean {
  return ValueNode.is(node) && typeof node.value === 'bigint'
}

function isListOfValues(node: OperationNode): node is PrimitiveValueListNode | ValueListNode {
  if (PrimitiveValueListNode.is(node)) {
    return node.values.length > 0
  }
  if (!ValueListNode.is(node)) {
    return false
  }
  const [first] = node.values
  return first !== undefined && TupleNode.is(first)
    ? node.values.every(
        (value) =>
          TupleNode.is(value) &&
          value.values.length === first.values.length &&
          value.values.every(isValue),
      )
    : node.values.every(isValue)
}

/** The values of what `sql.join()` gives, if it is of nothing but values. */
function joinedValues(node: OperationNode): readonly OperationNode[] | undefined {
  if (!RawNode.is(node) || node.parameters.length === 0 || node.sqlFragments.some(Boolean)) {
    return undefined
  }
  const values = node.parameters.filter((_, i) => i % 2 === 0)
  const separators = node.parameters.filter((_, i) => i % 2 === 1)
  return values.length === separators.length + 1 &&
    values.every(isValue) &&
    separators.every((node) => RawNode.is(node) && node.sqlFragments.join('').trim() === ',')
    ? values
    : undefined
}

/** Expressions that mean the same inside a sub-select: no aggregate functions, no raw SQL. */
const SIMPLE: ReadonlySet<OperationNode['kind']> = new Set([
  'ValueNode',
  'ReferenceNode',
  'OperatorNode',
])

function isSimple(node: OperationNode | undefined): boolean {
  if (node === undefined) {
    return false
  }
  if (BinaryOperationNode.is(node)) {
    const { leftOperand, operator, rightOperand } = node
    return isSimple(leftOperand) && isSimple(operator) && isSimple(rightOperand)
  }
  if (AndNode.is(node) || OrNode.is(node)) {
    return isSimple(node.left) && isSimple(node.right)
  }
  return ParensNode.is(node) ? isSimple(node.node) : SIMPLE.has(node.kind)
}
