import {
  type CompiledQuery,
  type OperationNode,
  type RootOperationNode,
  SelectQueryNode,
} from 'kysely'
import {
  type BoundQuery,
  type ColumnsCompiler,
  type DurableObjectSqliteColumns,
  planOf,
  type QueryPlan,
  withPlan,
} from '../statement/query-columns.js'
import { ColumnDefault } from './column-default.js'
import { outputOf } from './expressions.js'
import { addSelections, findAdditions } from './exact-selections.js'
import { gapOf, mapChildren } from './nodes.js'
import { hasCodecs } from './output.js'
import { QueryAnalyzer } from './query-analyzer.js'
import { RowPlan } from './row-plan.js'
import { keyOf, type TableColumns, type Tables } from './table-columns.js'

/** What the columns of some tables mean. */
export class Columns implements DurableObjectSqliteColumns {
  readonly #tables: Tables

  constructor(tables: readonly TableColumns[]) {
    this.#tables = new Map(tables.map((table) => [keyOf(table.name), table]))
  }

  compile(query: RootOperationNode, compiler: ColumnsCompiler): CompiledQuery {
    if (!isQuery(query)) {
      return compiler.compile(query, () => query)
    }
    const columnsOf = memoized((table) => compiler.columnsOf(table))
    const late = this.#analyze(query, columnsOf, true)
    const compiled = compiler.compile(late.query, () =>
      late.hasDefaults && !hasGap(late.query)
        ? this.#analyze(query, columnsOf, false).query
        : late.query,
    )
    const isForOneExecution = compiled.query !== late.query
    const bind = isForOneExecution
      ? onceAsItIs(() => this.compile(query, compiler))
      : late.hasDefaults
        ? callDefaults
        : asItIs
    return bind === asItIs && late.rowReader === undefined
      ? compiled
      : withPlan(compiled, { bind, isForOneExecution, rowReader: late.rowReader })
  }

  #analyze(
    query: RootOperationNode,
    columnsOf: (table: string) => readonly string[] | undefined,
    isLate: boolean,
  ): {
    readonly query: RootOperationNode
    readonly hasDefaults: boolean
    readonly rowReader: QueryPlan['rowReader']
  } {
    const analyzer = new QueryAnalyzer(this.#tables, columnsOf, isLate)
    const analyzed = analyzer.analyze(query)
    const output = outputOf(analyzed)
    const { hasDefaults } = analyzer
    if (output === undefined || !hasCodecs(output) || isExplained(query)) {
      return { query: analyzed, hasDefaults, rowReader: undefined }
    }
    const isCompound = SelectQueryNode.is(analyzed) && analyzed.setOperations !== undefined
    const additions = findAdditions(output, isCompound)
    return {
      query: addSelections(analyzed, additions),
      hasDefaults,
      rowReader: new RowPlan(output, additions).rowReader,
    }
  }
}

function isQuery({ kind }: RootOperationNode): boolean {
  switch (kind) {
    case 'SelectQueryNode':
    case 'InsertQueryNode':
    case 'UpdateQueryNode':
    case 'DeleteQueryNode':
    case 'RawNode':
      return true
    default:
      return false
  }
}

/** Then the rows are those of the plan. */
function isExplained(query: RootOperationNode): boolean {
  return 'explain' in query && query.explain !== undefined
}

function hasGap(node: OperationNode): boolean {
  let isFound = gapOf(node) !== undefined
  mapChildren(node, (child) => {
    isFound ||= hasGap(child)
    return child
  })
  return isFound
}

function memoized<T>(ask: (table: string) => T): (table: string) => T {
  const answers = new Map<string, T>()
  return (table) => {
    if (!answers.has(table)) {
      answers.set(table, ask(table))
    }
    return answers.get(table)!
  }
}

function asItIs(query: CompiledQuery, parameters: readonly unknown[]): BoundQuery {
  return { query, parameters }
}

function callDefaults(query: CompiledQuery, parameters: readonly unknown[]): BoundQuery {
  return {
    query,
    parameters: parameters.map((parameter) =>
      parameter instanceof ColumnDefault ? parameter.bind() : parameter,
    ),
  }
}

/** Its values are in it already, so that another execution takes another one. */
function onceAsItIs(compile: () => CompiledQuery): QueryPlan['bind'] {
  let isUsed = false
  return (query, parameters) => {
    if (!isUsed) {
      isUsed = true
      return { query, parameters }
    }
    const again = compile()
    return planOf(again)?.bind(again, again.parameters) ?? asItIs(again, again.parameters)
  }
}
