import { splitStatements } from '../migration/sql-script.js'
import { DurableObjectSqliteError } from '../platform/errors.js'

/**
 * A variable as Tcl writes it, `$name(…)`. To SQLite all of it is one token, quotes included, which
 * the splitter does not know: https://github.com/sqlite/sqlite/blob/master/src/tokenize.c
 */
const TCL_VARIABLE = /[$@#:][\w$\u0080-\uFFFF:]*\(/

/**
 * The one statement in a SQL text. `explain` is a part of the first statement of a text alone, and
 * SQLite would run the others.
 */
export function oneStatement(sql: string): string {
  const [statement, ...others] = splitStatements(sql)
  if (statement === undefined) {
    throw new DurableObjectSqliteError(
      'ERR_NO_STATEMENT',
      'There is no statement to explain: the SQL text is empty, or nothing but comments.',
      { sql },
    )
  }
  if (others.length > 0 || (statement.includes(';') && TCL_VARIABLE.test(statement))) {
    throw new DurableObjectSqliteError(
      'ERR_SEVERAL_STATEMENTS',
      'The SQL text has several statements, and SQLite would run those after the first one. Explain ' +
        'each of them by itself.',
      { sql },
    )
  }
  return statement
}
