import {
  AliasNode,
  AndNode,
  type BinaryOperationNode,
  type CaseNode,
  ColumnNode,
  type ColumnUpdateNode,
  type CommonTableExpressionNode,
  type DeleteQueryNode,
  IdentifierNode,
  type InsertQueryNode,
  type JoinNode,
  type OnConflictNode,
  type OperationNode,
  OperatorNode,
  RawNode,
  SelectAllNode,
  type SelectionNode,
  SelectQueryNode,
  type SetOperationNode,
  TableNode,
  TupleNode,
  type UpdateQueryNode,
  ValueListNode,
  type WithNode,
} from 'kysely'
import {
  codecOf,
  encode,
  encodeBranches,
  encodeOperand,
  outputOf,
  setCodec,
  setOutput,
  tuplesOf,
} from './expressions.js'
import { InsertRows } from './insert-rows.js'
import { findJsonHelper, type JsonHelper, JsonShape, replaceJsonHelper } from './json-shape.js'
import {
  castToText,
  columnNameOf,
  copyNode,
  isLeaf,
  mapChildren,
  mapList,
  nameOfSelection,
  withoutAlias,
} from './nodes.js'
import {
  DerivedSource,
  expand,
  isStar,
  type Output,
  type OutputColumn,
  type OutputStar,
  type Source,
  TableSource,
  unite,
  UnknownSource,
} from './output.js'
import { Scope } from './scope.js'
import { ColumnCodec, keyOf, type TableColumns, type Tables } from './table-columns.js'
import { findWithCodec } from './with-codec.js'

/** Where the two sides are values of one column. */
const COMPARISONS: ReadonlySet<string> = new Set([
  '=',
  '==',
  '!=',
  '<>',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not in',
  'is',
  'is not',
  'is distinct from',
  'is not distinct from',
  'between',
  'between symmetric',
])

/** Finds what the columns of a query are, and encodes the values that meet them. */
export class QueryAnalyzer {
  readonly #tables: Tables
  readonly #columnsOf: (table: string) => readonly string[] | undefined
  readonly #insertRows: InsertRows

  /** @param isLate Whether defaults are left to be called when the query runs. */
  constructor(
    tables: Tables,
    columnsOf: (table: string) => readonly string[] | undefined,
    isLate: boolean,
  ) {
    this.#tables = tables
    this.#columnsOf = columnsOf
    this.#insertRows = new InsertRows(isLate)
  }

  /** Whether the query has values that are to be called for each execution. */
  get hasDefaults(): boolean {
    return this.#insertRows.hasDefaults
  }

  /** The query with its values encoded. */
  analyze<T extends OperationNode>(query: T): T {
    return this.#visit(query, Scope.empty) as T
  }

  #visit(node: OperationNode, scope: Scope): OperationNode {
    if (isLeaf(node)) {
      return node
    }
    switch (node.kind) {
      case 'SelectQueryNode':
        return this.#visitSelect(node as SelectQueryNode, scope)
      case 'InsertQueryNode':
        return this.#visitInsert(node as InsertQueryNode, scope)
      case 'UpdateQueryNode':
        return this.#visitUpdate(node as UpdateQueryNode, scope)
      case 'DeleteQueryNode':
        return this.#visitDelete(node as DeleteQueryNode, scope)
      case 'BinaryOperationNode':
        return this.#visitBinaryOperation(node as BinaryOperationNode, scope)
      case 'CaseNode':
        return this.#visitCase(node as CaseNode, scope)
      case 'FunctionNode':
      case 'AggregateFunctionNode':
        return this.#withEncodedBranches(this.#visitChildren(node, scope), scope)
      case 'RawNode':
        return this.#visitRaw(node as RawNode, scope)
      default:
        return this.#visitChildren(node, scope)
    }
  }

  #visitChildren<T extends OperationNode>(node: T, scope: Scope): T {
    return mapChildren(node, (child) => this.#visit(child, scope))
  }

  #visitSelect(select: SelectQueryNode, outer: Scope): SelectQueryNode {
    const [withNode, around] = this.#visitWith(select.with, outer)
    const [froms, joined, sources] = this.#visitSources(select.from?.froms, select.joins, around)
    const scope = around.within(sources)
    const setOperations = select.setOperations?.map((operation) =>
      this.#visitChildren(operation, around),
    )
    const node = copyNode(
      select,
      {
        with: withNode,
        from: select.from && { ...select.from, froms },
        joins: joined.map((join) => this.#visitOn(join, scope)),
        setOperations,
      },
      (child) => this.#visit(child, scope),
    )
    const own = this.#outputOfSelections(node.selections, scope)
    setOutput(node, (setOperations ?? []).reduce(uniteWith, own), own)
    return node
  }

  #visitWith(node: WithNode | undefined, outer: Scope): [WithNode | undefined, Scope] {
    if (node === undefined) {
      return [undefined, outer]
    }
    let scope = outer
    const expressions = node.expressions.map((expression) => {
      const visited =
        node.recursive === true
          ? this.#visitRecursive(expression, scope)
          : this.#visitCommonTable(expression, scope)
      scope = scope.withExpression(nameOf(expression), visited.output)
      return visited.expression
    })
    return [{ ...node, expressions }, scope]
  }

  #visitCommonTable(node: CommonTableExpressionNode, scope: Scope): VisitedExpression {
    const expression = this.#visit(node.expression, scope)
    const output = outputOf(expression) ?? []
    const { columns } = node.name
    return {
      expression: { ...node, expression },
      output:
        columns === undefined
          ? output
          : renameColumns(
              output,
              columns.map(({ column }) => column.name),
            ),
    }
  }

  /**
   * A recursive expression refers to its own columns: those of its first term, as far as the other
   * terms agree, which may depend on it.
   */
  #visitRecursive(node: CommonTableExpressionNode, outer: Scope): VisitedExpression {
    const { expression } = node
    if (!SelectQueryNode.is(expression) || expression.setOperations === undefined) {
      return this.#visitCommonTable(node, outer)
    }
    const { setOperations: _, ...first } = expression
    let assumed = this.#visitCommonTable({ ...node, expression: first }, outer).output
    while (true) {
      const visited = this.#visitCommonTable(node, outer.withExpression(nameOf(node), assumed))
      if (countCodecs(visited.output) >= countCodecs(assumed)) {
        return visited
      }
      assumed = visited.output
    }
  }

  #visitSources(
    froms: readonly OperationNode[] = [],
    joins: readonly JoinNode[] = [],
    scope: Scope,
  ): [froms: readonly OperationNode[], joins: readonly JoinNode[], sources: readonly Source[]] {
    const sources: Source[] = []
    const visit = (node: OperationNode): OperationNode => {
      // A sub-select may refer to what stands before it, where it is lateral.
      const visited = isTable(node) ? node : this.#visit(node, scope.within([...sources]))
      sources.push(this.#sourceOf(visited, scope))
      return visited
    }
    return [
      mapList(froms, visit),
      mapList(joins, (join) => {
        const table = visit(join.table)
        return table === join.table ? join : { ...join, table }
      }),
      sources,
    ]
  }

  #visitOn(join: JoinNode, scope: Scope): JoinNode {
    return join.on === undefined ? join : { ...join, on: this.#visitChildren(join.on, scope) }
  }

  #sourceOf(node: OperationNode, scope: Scope): Source {
    const name = AliasNode.is(node) && IdentifierNode.is(node.alias) ? node.alias.name : undefined
    const source = withoutAlias(node)
    if (TableNode.is(source)) {
      const { identifier, schema } = source.table
      const output = schema === undefined ? scope.expression(identifier.name) : undefined
      return output === undefined
        ? this.#tableSource(identifier.name, name)
        : new DerivedSource(name ?? identifier.name, output)
    }
    const output = outputOf(source)
    return output === undefined ? new UnknownSource(name) : new DerivedSource(name, output)
  }

  #tableSource(table: string, alias = table): TableSource {
    return new TableSource(alias, table, this.#tables.get(keyOf(table)), this.#columnsOf)
  }

  #outputOfSelections(
    selections: readonly SelectionNode[] | undefined,
    scope: Scope,
  ): readonly (OutputColumn | OutputStar)[] {
    return (selections ?? []).flatMap((node): Output => {
      const { selection } = node
      if (SelectAllNode.is(selection)) {
        return scope.sources.map((source) => ({ source, selection: node }))
      }
      if (selection.kind === 'ReferenceNode' && SelectAllNode.is(selection.column)) {
        const table = selection.table?.table.identifier.name ?? ''
        const source = scope.sources.find(({ name }) => name && keyOf(name) === keyOf(table))
        return [{ source: source ?? new UnknownSource(table), selection: node }]
      }
      return [
        {
          name: nameOfSelection(selection),
          codec: codecOf(selection, scope),
          node: withoutAlias(selection),
          selection: node,
        },
      ]
    })
  }

  #visitInsert(insert: InsertQueryNode, outer: Scope): InsertQueryNode {
    const { into, onConflict, returning } = insert
    const [withNode, around] = this.#visitWith(insert.with, outer)
    const name = into?.table.identifier.name ?? ''
    const table = this.#tables.get(keyOf(name))
    const source = this.#tableSource(name)
    const visited = copyNode(
      insert,
      {
        with: withNode,
        columns: insert.columns,
        returning,
        onConflict:
          onConflict &&
          this.#visitOnConflict(onConflict, around.within([source, new Excluded(source)]), table),
      },
      (child) => this.#visit(child, around),
    )
    return this.#withReturning(
      table === undefined ? visited : this.#insertRows.encodeInsert(visited, table),
      around.within([source]),
    )
  }

  #visitOnConflict(
    node: OnConflictNode,
    scope: Scope,
    table: TableColumns | undefined,
  ): OnConflictNode {
    return copyNode(
      node,
      { updates: node.updates && this.#visitUpdates(node.updates, scope, table) },
      (child) => this.#visit(child, scope),
    )
  }

  #visitUpdate(update: UpdateQueryNode, outer: Scope): UpdateQueryNode {
    const { table, from, joins, updates, returning } = update
    const [withNode, around] = this.#visitWith(update.with, outer)
    const targets = table === undefined ? [] : [this.#sourceOf(table, around)]
    const [froms, joined, others] = this.#visitSources(from?.froms, joins, around)
    const scope = around.within([...targets, ...others])
    const updated = table && withoutAlias(table)
    const columns =
      updated && TableNode.is(updated)
        ? this.#tables.get(keyOf(updated.table.identifier.name))
        : undefined
    const node = copyNode(
      update,
      {
        with: withNode,
        table,
        from: from && { ...from, froms },
        joins: joined.map((join) => this.#visitOn(join, scope)),
        updates: updates && this.#visitUpdates(updates, scope, columns),
        returning,
      },
      (child) => this.#visit(child, scope),
    )
    return this.#withReturning(node, around.within(targets))
  }

  #visitUpdates(
    updates: readonly ColumnUpdateNode[],
    scope: Scope,
    table: TableColumns | undefined,
  ): readonly ColumnUpdateNode[] {
    const visited = updates.map((update): ColumnUpdateNode => {
      const value = this.#visit(update.value, scope)
      const codec = table?.column(columnNameOf(update.column) ?? '')?.codec
      return { ...update, value: codec ? encode(value, codec) : value }
    })
    return table === undefined || visited.length === 0
      ? visited
      : [...visited, ...this.#insertRows.onUpdate(visited, table)]
  }

  #visitDelete(query: DeleteQueryNode, outer: Scope): DeleteQueryNode {
    const { from, using, joins, returning } = query
    const [withNode, around] = this.#visitWith(query.with, outer)
    const [froms, , targets] = this.#visitSources(from.froms, undefined, around)
    const [tables, joined, others] = this.#visitSources(using?.tables, joins, around)
    const scope = around.within([...targets, ...others])
    const node = copyNode(
      query,
      {
        with: withNode,
        from: { ...from, froms },
        using: using && { ...using, tables },
        joins: joined.map((join) => this.#visitOn(join, scope)),
        returning,
      },
      (child) => this.#visit(child, scope),
    )
    return this.#withReturning(node, around.within(targets))
  }

  #withReturning<T extends InsertQueryNode | UpdateQueryNode | DeleteQueryNode>(
    query: T,
    scope: Scope,
  ): T {
    if (query.returning === undefined) {
      return query
    }
    const returning = this.#visitChildren(query.returning, scope)
    const node = { ...query, returning }
    setOutput(node, this.#outputOfSelections(returning.selections, scope))
    return node
  }

  #visitBinaryOperation(node: BinaryOperationNode, scope: Scope): BinaryOperationNode {
    const visited = this.#visitChildren(node, scope)
    const { leftOperand, operator, rightOperand } = visited
    if (!OperatorNode.is(operator) || !COMPARISONS.has(operator.operator)) {
      return visited
    }
    const left = tuplesOf(leftOperand)?.[0]
    if (left !== undefined) {
      return { ...visited, rightOperand: this.#encodeTuples(rightOperand, left, scope) }
    }
    const [encodedRight, encodedLeft] = this.#encodeOperands(
      leftOperand,
      rightOperand,
      scope,
      operator.operator,
    )
    return { ...visited, leftOperand: encodedLeft, rightOperand: encodedRight }
  }

  /** Either side by the codec of the other. */
  #encodeOperands(
    left: OperationNode,
    right: OperationNode,
    scope: Scope,
    operator = '=',
  ): [right: OperationNode, left: OperationNode] {
    const codec = codecOf(left, scope)
    if (codec !== undefined) {
      // The right side of `between`.
      return AndNode.is(right)
        ? [AndNode.create(encode(right.left, codec), encode(right.right, codec)), left]
        : [encodeOperand(right, codec, operator), left]
    }
    const other = codecOf(AndNode.is(right) ? right.left : right, scope)
    return [right, other === undefined ? left : encode(left, other)]
  }

  #encodeTuples(node: OperationNode, left: TupleNode, scope: Scope): OperationNode {
    if (TupleNode.is(node)) {
      return TupleNode.create(
        node.values.map((value, i) => {
          const operand = left.values[i]
          return operand === undefined ? value : this.#encodeOperands(operand, value, scope)[0]
        }),
      )
    }
    return tuplesOf(node) === undefined
      ? node
      : ValueListNode.is(node)
        ? ValueListNode.create(node.values.map((tuple) => this.#encodeTuples(tuple, left, scope)))
        : mapChildren(node, (child) => this.#encodeTuples(child, left, scope))
  }

  #visitCase(node: CaseNode, scope: Scope): OperationNode {
    const visited = this.#visitChildren(node, scope)
    const codec = visited.value && codecOf(visited.value, scope)
    return this.#withEncodedBranches(
      codec === undefined || visited.when === undefined
        ? visited
        : ({
            ...visited,
            when: visited.when.map((when) => ({
              ...when,
              condition: encode(when.condition, codec),
            })),
          } as CaseNode),
      scope,
    )
  }

  #withEncodedBranches(node: OperationNode, scope: Scope): OperationNode {
    const codec = codecOf(node, scope)
    return codec === undefined ? node : encodeBranches(node, codec)
  }

  #visitRaw(node: RawNode, scope: Scope): RawNode {
    const marked = findWithCodec(node)
    if (marked !== undefined) {
      const raw = { ...RawNode.createWithChild(this.#visit(marked.expression, scope)) }
      setCodec(raw, new ColumnCodec('An expression', marked.codec))
      return raw
    }
    const helper = findJsonHelper(node)
    return helper === undefined
      ? this.#visitChildren(node, scope)
      : this.#visitJsonHelper(node, helper, scope)
  }

  #visitJsonHelper(node: RawNode, { isArray, from, fields }: JsonHelper, outer: Scope): RawNode {
    const select = from && this.#visitSelect(from.select, outer)
    const scope =
      select === undefined
        ? outer
        : outer.within([new DerivedSource(from!.name, outputOf(select)!)])
    const codecs = new Map<string, ColumnCodec | JsonShape>()
    const values = fields.map(({ key, value }) => {
      const visited = this.#visit(value, scope)
      const codec = codecOf(visited, scope)
      codecs.delete(key)
      if (codec !== undefined) {
        codecs.set(key, codec as ColumnCodec | JsonShape)
      }
      return codec?.isInteger === true ? castToText(visited) : visited
    })
    const helper = replaceJsonHelper(node, values, select)
    setCodec(helper, new JsonShape(isArray, [...codecs]))
    return helper
  }
}

interface VisitedExpression {
  readonly expression: CommonTableExpressionNode
  readonly output: Output
}

/** What `on conflict` calls the row that could not be inserted. */
class Excluded implements Source {
  readonly name = 'excluded'
  readonly identity = this
  readonly decoded = []
  readonly #table: Source

  constructor(table: Source) {
    this.#table = table
  }

  codec(column: string): ReturnType<Source['codec']> {
    return this.#table.codec(column)
  }

  names(): readonly string[] | undefined {
    return this.#table.names()
  }

  has(column: string): boolean | undefined {
    return this.#table.has(column)
  }
}

/** Tables and aliases of them have nothing in them that could be encoded. */
function isTable(node: OperationNode): boolean {
  return TableNode.is(withoutAlias(node))
}

function uniteWith(output: Output, { expression }: SetOperationNode): Output {
  return unite(output, outputOf(expression) ?? [])
}

function nameOf({ name }: CommonTableExpressionNode): string {
  return name.table.table.identifier.name
}

function renameColumns(output: Output, names: readonly string[]): Output {
  const columns = output.some(isStar) ? expand(output) : (output as readonly OutputColumn[])
  return names.map((name, i) => ({
    name,
    codec: columns?.[i]?.codec,
    node: ColumnNode.create(name),
  }))
}

function countCodecs(output: Output): number {
  return output.reduce(
    (count, part) =>
      count + (isStar(part) ? part.source.decoded.length : part.codec === undefined ? 0 : 1),
    0,
  )
}
