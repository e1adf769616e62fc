import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  SelectAllNode,
  type SelectionNode,
  type SetOperationNode,
  TableNode,
} from 'kysely'
import { codecOf, outputOf } from './expressions.js'
import { nameOfSelection, withoutAlias } from './nodes.js'
import {
  DerivedSource,
  expand,
  isStar,
  type Output,
  type OutputColumn,
  type Source,
  TableSource,
  UnknownSource,
} from './output.js'
import type { Scope } from './scope.js'
import { keyOf, type Tables } from './table-columns.js'
import { unite } from './unite.js'

/** Knows what the tables and sub-selects of `from` have for columns. */
export class Sources {
  readonly #tables: Tables
  readonly #columnsOf: (table: string) => readonly string[] | undefined

  constructor(tables: Tables, columnsOf: (table: string) => readonly string[] | undefined) {
    this.#tables = tables
    this.#columnsOf = columnsOf
  }

  /** What stands in `from`, whose children were analyzed already. */
  of(node: OperationNode, scope: Scope): Source {
    const name = AliasNode.is(node) && IdentifierNode.is(node.alias) ? node.alias.name : undefined
    const source = withoutAlias(node)
    if (TableNode.is(source)) {
      const { identifier, schema } = source.table
      const output = schema === undefined ? scope.expression(identifier.name) : undefined
      return output === undefined
        ? this.table(identifier.name, name)
        : new DerivedSource(name ?? identifier.name, output)
    }
    const output = outputOf(source)
    return output === undefined ? new UnknownSource(name) : new DerivedSource(name, output)
  }

  table(table: string, alias = table): TableSource {
    return new TableSource(alias, table, this.#tables.get(keyOf(table)), this.#columnsOf)
  }
}

/** What `on conflict` calls the row that could not be inserted. */
export class Excluded implements Source {
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

/** What the selections yield, whose children were analyzed already. */
export function outputOfSelections(
  selections: readonly SelectionNode[] | undefined,
  scope: Scope,
): Output {
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

/** What a select yields with one that it is united with. */
export function uniteWith(output: Output, { expression }: SetOperationNode): Output {
  return unite(output, outputOf(expression) ?? [])
}

/** The columns of a common table expression that names them. */
export function renameColumns(output: Output, names: readonly string[]): Output {
  const columns = output.some(isStar) ? expand(output) : (output as readonly OutputColumn[])
  return names.map((name, i) => ({
    name,
    codec: columns?.[i]?.codec,
    node: ColumnNode.create(name),
  }))
}

/** How many of the columns can be decoded. */
export function countCodecs(output: Output): number {
  return output.reduce(
    (count, part) =>
      count + (isStar(part) ? part.source.decoded.length : part.codec === undefined ? 0 : 1),
    0,
  )
}
