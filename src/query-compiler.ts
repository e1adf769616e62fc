import { SqliteQueryCompiler } from 'kysely'
import { toIntegerText } from './parameters.js'

/**
 * Compiles queries to SQLite's SQL with identifiers in backticks and exact 64-bit integers.
 *
 * Workerd's SQLite takes an unknown `"name"` in double quotes for a string, so that
 * `delete from "session" where "expired_at" != ?` deletes every row of a table without that column.
 * In backticks an unknown name is an error: https://www.sqlite.org/quirks.html#dblquote
 */
export class DurableObjectSqliteQueryCompiler extends SqliteQueryCompiler {
  protected override getLeftIdentifierWrapper(): string {
    return '`'
  }

  protected override getRightIdentifierWrapper(): string {
    return '`'
  }

  protected override sanitizeIdentifier(identifier: string): string {
    return identifier.includes('`') ? identifier.replaceAll('`', '``') : identifier
  }

  /** A number is bound as REAL and a bigint not at all, so a bigint travels as its digits. */
  protected override appendValue(value: unknown): void {
    if (typeof value === 'bigint') {
      this.append('cast(')
      super.appendValue(toIntegerText(value))
      this.append(' as integer)')
    } else {
      super.appendValue(value)
    }
  }
}
