import { MAX_PARAMETERS } from './limits.js'

/**
 * What to do about each limit of the platform, by what SQLite says when it is met. The messages are
 * SQLite's; the limits are set in workerd.
 *
 * - https://developers.cloudflare.com/durable-objects/platform/limits/
 * - https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c++ (`sqlite3_limit`)
 */
const HINTS: readonly { readonly message: RegExp; readonly hint: string }[] = [
  {
    message: /^too many SQL variables/,
    hint:
      `A statement takes at most ${MAX_PARAMETERS} bound parameters. Build the query with the query ` +
      'builder or the sql template tag, which take any number; in SQL text of your own, pass the ' +
      'values as one JSON text: in (select value from json_each(?)).',
  },
  {
    message: /^statement too long/,
    hint:
      'The SQL text of a statement has at most 100,000 bytes. Build lists with in and rows of values ' +
      'with values(), whose text does not grow with them; pass values as parameters instead of ' +
      'writing them into the text; and split the rest, such as a long case, into several statements.',
  },
  {
    message: /^string or blob too big/,
    hint:
      'A string, a BLOB or a row has at most 2 MB. Split the value over several rows, or keep it ' +
      'elsewhere (R2) and store its key.',
  },
  {
    message: /^too many columns/,
    hint:
      'A table, an index, a result and the columns that a statement sets are at most 100. Select ' +
      'only the columns that are needed, move others to a second table, or store them together as ' +
      'one JSON text.',
  },
  {
    message: /^too many terms in compound SELECT/,
    hint:
      'A compound select has at most 5 terms. Those of a whole query that has nothing but union all, ' +
      'and no order by, are nested for you; put others into sub-selects: select * from (… union …).',
  },
  {
    message: /^too many terms in (?:ORDER|GROUP) BY clause/,
    hint: 'order by and group by take at most 100 terms.',
  },
  {
    message: /^Expression tree is too large/,
    hint:
      'An expression is at most 100 levels deep. Chains of and and or made by eb.and(), eb.or() and ' +
      'where() are balanced for you; in raw SQL put parentheses around parts of a long chain, and ' +
      'replace a chain of comparisons with one in list.',
  },
  {
    message: /^LIKE or GLOB pattern too complex/,
    hint:
      'A pattern of like or glob has at most 50 bytes. To find a text of any length use ' +
      'instr(column, text) > 0; for a beginning, column >= text and column < next text; for words, ' +
      'an FTS5 table.',
  },
  {
    message: /^too many arguments on function/,
    hint:
      'A function takes at most 127 arguments. Nest calls, or pass the values as one JSON text and ' +
      'read them with json_each().',
  },
  {
    message: /^at most \d+ tables in a join/,
    hint: 'Join fewer tables, or join some of them in a common table expression marked materialized.',
  },
  {
    message: /^(?:triggers nested too deep|too many levels of trigger recursion)/,
    hint: 'Triggers may set off each other 10 levels deep.',
  },
  {
    message: /^out of memory/,
    hint:
      'SQLite ran out of memory, or the statement compiles to more than its 25,000 instructions, ' +
      'which are enough for some thousand values in conditions, in case or in rows with expressions. ' +
      'Lists behind in and rows of nothing but values take any number; split the rest into several ' +
      'statements, or join with json_each() of one JSON text.',
  },
  {
    message: /^abort due to ROLLBACK/,
    hint:
      'A transaction was rolled back while these rows were being streamed, and it had changed the ' +
      "schema, or made the object's first KV entry or alarm. Read the rows with execute(), or stream " +
      'them in a transaction of their own, which nothing else runs beside.',
  },
  {
    message: /^database or disk is full/,
    hint:
      'The database of an object has at most 10 GB. Delete rows that are not needed, or spread the ' +
      'data over several objects.',
  },
]

/** What to do about the limit of the platform that the message tells of, if it does. */
export function limitHint(message: string): string | undefined {
  return HINTS.find(({ message: start }) => start.test(message))?.hint
}
