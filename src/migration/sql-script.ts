/**
 * What a splitter needs to tell apart: comments and spaces, quoted text, words, and the semicolon.
 * What is left open runs to the end of the text, as it does in SQLite.
 */
const TOKEN =
  /(?<blank>[ \t\n\f\r\uFEFF]+|--[^\n]*|\/\*[^]*?(?:\*\/|$))|'[^']*'?|"[^"]*"?|`[^`]*`?|\[[^\]]*\]?|(?<word>[\w$\u0080-\uFFFF]+)|[^]/g

/** The lines that drizzle-kit writes between statements. To SQLite they are comments. */
const BREAKPOINT = /^--> (?:statement-)?breakpoint\s*$/

/** Where in a statement the splitter is. Named as in SQLite's `complete.c`. */
type State = 'start' | 'normal' | 'explain' | 'create' | 'trigger' | 'semicolon' | 'end'

/**
 * The statements of a SQL text, without the semicolons that end them; comments between statements and
 * empty statements are left out. The rules are those of `sqlite3_complete()`, by which SQLite's own
 * shell finds the end of a statement: https://www.sqlite.org/c3ref/complete.html
 *
 * `exec` takes a text of several statements too, but a comment after the last one is an error there,
 * `insert … returning` before the last one breaks the commit, and no error says which one failed.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = []
  let state: State = 'start'
  let start = 0
  let end = 0
  const finish = (next: number): void => {
    if (state !== 'start') {
      statements.push(text.slice(start, end))
    }
    state = 'start'
    start = next
  }
  for (const { 0: token, index, groups } of text.matchAll(TOKEN)) {
    const next = index + token.length
    if (groups?.['blank'] !== undefined) {
      if (BREAKPOINT.test(token)) {
        finish(next)
      } else if (state === 'start') {
        start = next
      }
    } else if (token === ';' && state !== 'trigger' && state !== 'semicolon') {
      finish(next)
    } else {
      state = nextState(state, token === ';' ? ';' : groups?.['word']?.toLowerCase())
      end = next
    }
  }
  finish(text.length)
  return statements
}

/** Inside `create trigger` a semicolon ends the whole only after an `end` that follows a semicolon. */
function nextState(state: State, word: string | undefined): State {
  switch (state) {
    case 'start':
      return word === 'create' || word === 'explain' ? word : 'normal'
    case 'explain':
      // `explain query plan create …` has words in between.
      return word === 'create' ? word : state
    case 'create':
      if (word === 'temp' || word === 'temporary') {
        return state
      }
      return word === 'trigger' ? 'trigger' : 'normal'
    case 'trigger':
      return word === ';' ? 'semicolon' : state
    case 'semicolon':
      if (word === ';') {
        return state
      }
      return word === 'end' ? 'end' : 'trigger'
    case 'normal':
      return state
    case 'end':
      return 'trigger'
  }
}
