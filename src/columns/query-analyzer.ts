import {
  type BinaryOperationNode,
  type CaseNode,
  type ColumnUpdateNode,
  type CommonTableExpressionNode,
  type DeleteQueryNode,
  type InsertQueryNode,
  type JoinNode,
  type OnConflictNode,
  type OperationNode,
  type RawNode,
  SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  type WithNode,
} from 'kysely'
import { encodeCase, encodeComparison, encodeResults } from './comparisons.js'
import { encode, outputOf, setOutput } from './expressions.js'
import { InsertRows } from './insert-rows.js'
import { columnNameOf, copyNode, isLeaf, mapChildren, mapList, withoutAlias } from './nodes.js'
import type { Output, Source } from './output.js'
import { analyzeRaw } from './raw-sql.js'
import { Scope } from './scope.js'
import {
  countCodecs,
  Excluded,
  outputOfSelections,
  renameColumns,
  Sources,
  uniteWith,
} from './sources.js'
import { keyOf, type TableColumns, type Tables } from './table-columns.js'

/** Finds what the columns of a query are, and encodes the values that meet them. */
export class QueryAnalyzer {
  readonly #tables: Tables
  readonly #sources: Sources
  readonly #insertRows: InsertRows

  /** @param isLate Whether defaults are left to be called when the query runs. */
  constructor(
    tables: Tables,
    columnsOf: (table: string) => readonly string[] | undefined,
    isLate: boolean,
  ) {
    this.#tables = tables
    this.#sources = new Sources(tables, columnsOf)
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
        return encodeComparison(this.#visitChildren(node as BinaryOperationNode, scope), scope)
      case 'CaseNode':
        return encodeCase(this.#visitChildren(node as CaseNode, scope), scope)
      case 'FunctionNode':
      case 'AggregateFunctionNode':
        return encodeResults(this.#visitChildren(node, scope), scope)
      case 'RawNode':
        return (
          analyzeRaw(node as RawNode, scope, (child, inner) => this.#visit(child, inner)) ??
          this.#visitChildren(node, scope)
        )
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
    const own = outputOfSelections(node.selections, scope)
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
      const visited = TableNode.is(withoutAlias(node))
        ? node
        : this.#visit(node, scope.within([...sources]))
      sources.push(this.#sources.of(visited, scope))
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

  #visitInsert(insert: InsertQueryNode, outer: Scope): InsertQueryNode {
    const { into, onConflict, returning } = insert
    const [withNode, around] = this.#visitWith(insert.with, outer)
    const name = into?.table.identifier.name ?? ''
    const table = this.#tables.get(keyOf(name))
    const source = this.#sources.table(name)
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
    const targets = table === undefined ? [] : [this.#sources.of(table, around)]
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
    setOutput(node, outputOfSelections(returning.selections, scope))
    return node
  }
}

interface VisitedExpression {
  readonly expression: CommonTableExpressionNode
  readonly output: Output
}

function nameOf({ name }: CommonTableExpressionNode): string {
  return name.table.table.identifier.name
}
