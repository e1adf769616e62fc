import {
  type AndNode,
  type OperationNode,
  type OrNode,
  type SelectQueryNode,
  SqliteQueryCompiler,
  type UpdateQueryNode,
} from 'kysely'
import { toIntegerText } from '../statement/parameters.js'
import { countTerms, splitAtOpenTerms, termsOf } from './condition-chain.js'
import { refuseEmptyList } from './empty-lists.js'
import { nestUnionAll } from './union-all.js'

/**
 * A chain of more terms is compiled to a balanced tree: `a and b and c` is two levels deep for
 * SQLite, and the platform takes 100. https://www.sqlite.org/limits.html#max_expr_depth
 */
const MAX_FLAT_TERMS = 20

/**
 * Kysely's compiler for SQLite, as the SQLite of a Durable Object needs it: identifiers in backticks,
 * exact 64-bit integers, and conditions and unions of any length.
 *
 * Workerd's SQLite takes an unknown `"name"` in double quotes for a string, so that
 * `delete from "session" where "expired_at" != ?` deletes every row of a table without that column.
 * In backticks an unknown name is an error: https://www.sqlite.org/quirks.html#dblquote
 */
export class BaseQueryCompiler extends SqliteQueryCompiler {
  protected override getLeftIdentifierWrapper(): string {
    return '`'
  }

  protected override getRightIdentifierWrapper(): string {
    return '`'
  }

  protected override sanitizeIdentifier(identifier: string): string {
    return identifier.includes('`') ? identifier.replaceAll('`', '``') : identifier
  }

  /**
   * A number is bound as REAL and a bigint not at all, so a bigint travels as its digits. The plus takes
   * away the affinity of a cast, since a parameter has none.
   */
  protected override appendValue(value: unknown): void {
    if (typeof value === 'bigint') {
      this.append('+cast(')
      super.appendValue(toIntegerText(value))
      this.append(' as integer)')
    } else {
      super.appendValue(value)
    }
  }

  protected override compileList(nodes: readonly OperationNode[], separator = ', '): void {
    const { length } = nodes
    // Joins and modifiers, which commas do not separate, may be none.
    if (length === 0 && separator === ', ') {
      refuseEmptyList(this.nodeStack.at(-1))
    }
    for (let i = 0; i < length; i++) {
      if (i > 0) {
        this.append(separator)
      }
      this.visitNode(nodes[i]!)
    }
  }

  protected override visitAnd(node: AndNode): void {
    if (!this.#appendBalanced(node, ' and ')) {
      super.visitAnd(node)
    }
  }

  protected override visitOr(node: OrNode): void {
    if (!this.#appendBalanced(node, ' or ')) {
      super.visitOr(node)
    }
  }

  protected override visitUpdateQuery(node: UpdateQueryNode): void {
    if (node.updates === undefined) {
      refuseEmptyList(node)
    }
    super.visitUpdateQuery(node)
  }

  protected override visitSelectQuery(node: SelectQueryNode): void {
    if (node.selections === undefined) {
      refuseEmptyList(node)
    }
    super.visitSelectQuery(this.parentNode === undefined ? nestUnionAll(node) : node)
  }

  /** Appends a long chain and returns true, or returns false for one that can stay as it is. */
  #appendBalanced(node: AndNode | OrNode, operator: ' and ' | ' or '): boolean {
    // The chain was measured at its first node.
    if (this.parentNode?.kind === node.kind || countTerms(node) <= MAX_FLAT_TERMS) {
      return false
    }
    const terms = termsOf(node)
    let separator = ''
    for (const run of node.kind === 'AndNode' ? splitAtOpenTerms(terms) : [terms]) {
      this.append(separator)
      this.#appendTree(run, operator)
      separator = operator
    }
    return true
  }

  #appendTree(terms: readonly OperationNode[], operator: string): void {
    if (terms.length <= MAX_FLAT_TERMS) {
      this.compileList(terms, operator)
      return
    }
    const middle = terms.length >> 1
    this.append('(')
    this.#appendTree(terms.slice(0, middle), operator)
    this.append(`)${operator}(`)
    this.#appendTree(terms.slice(middle), operator)
    this.append(')')
  }
}
