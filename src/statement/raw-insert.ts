const NAME = String.raw`"([^"]+)"(?!")|\x60([^\x60]+)\x60(?!\x60)|\[([^\]]+)\]|([\w$\u0080-\uffff]+)`

/** Every verb that a statement can write with, and the table behind those that insert. */
const VERB = new RegExp(
  String.raw`\b(?:insert(?:\s+or\s+\w+)?|replace)\s+into\s+(?:main\s*\.\s*)?(?:${NAME})|\b(?:insert|update|delete)\b|\breplace\b(?!\s*\()`,
  'gi',
)

/**
 * The table that raw SQL inserts into, where its text leaves no doubt: one verb that writes, and no
 * `do update`. In SQLite's grammar neither a `select` nor a common table expression has such a verb, so
 * a text with only one has it for its own. A text with another one somewhere, be it in a string, might
 * be anything.
 *
 * https://www.sqlite.org/lang_insert.html
 */
export function tableOfRawInsert(sql: string): string | undefined {
  const verbs = sql.matchAll(VERB)
  const { value: verb } = verbs.next()
  return verb === undefined || verbs.next().done !== true
    ? undefined
    : (verb[1] ?? verb[2] ?? verb[3] ?? verb[4])
}
