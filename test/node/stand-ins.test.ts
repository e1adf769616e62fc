import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DatabaseSync } from 'node:sqlite'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, describe, expect, it } from 'vitest'

type Value = string | number | boolean | null

/** The first column of the first row, or the message of the error. */
type Answer = string | number | null

interface Statement {
  /** As in the table of docs/testing.md. */
  readonly what: string
  /** The last one counts. */
  readonly sql: readonly string[]
  readonly bindings?: readonly Value[]
}

const { compatibilityDate } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    compatibilityDate,
    durableObjects: { OBJECT: { className: 'TestObject', useSQLite: true } },
    script: `import { DurableObject } from 'cloudflare:workers'
export class TestObject extends DurableObject {
  async fetch(request) {
    const { sql: statements, bindings = [] } = await request.json()
    const { sql } = this.ctx.storage
    try {
      const last = statements.pop()
      for (const statement of statements) sql.exec(statement)
      return Response.json({ answer: Object.values(sql.exec(last, ...bindings).toArray()[0] ?? {})[0] ?? null })
    } catch (error) {
      return Response.json({ answer: error.message })
    }
  }
}
export default { fetch: (request, env) => env.OBJECT.get(env.OBJECT.newUniqueId()).fetch(request) }`,
  }),
)
afterAll(() => miniflare.dispose())

async function inDurableObject({ sql, bindings }: Statement): Promise<Answer> {
  const response = await miniflare.dispatchFetch('http://localhost', {
    method: 'POST',
    body: JSON.stringify({ sql, bindings }),
  })
  return ((await response.json()) as { answer: Answer }).answer
}

function inNode({ sql, bindings = [] }: Statement): Answer {
  const database = new DatabaseSync(':memory:')
  try {
    for (const statement of sql.slice(0, -1)) {
      database.exec(statement)
    }
    const row = database.prepare(sql.at(-1)!).get(...(bindings as (string | number | null)[]))
    return (Object.values(row ?? {})[0] ?? null) as Answer
  } catch (error) {
    return (error as Error).message
  } finally {
    database.close()
  }
}

const statements: readonly Statement[] = [
  {
    what: '101 parameters',
    sql: [`select 1 in (${'?, '.repeat(100)}?)`],
    bindings: Array.from({ length: 101 }, (_, i) => i),
  },
  {
    what: '6 terms of `union`',
    sql: [Array.from({ length: 6 }, (_, i) => `select ${i}`).join(' union ')],
  },
  {
    what: '101 columns',
    sql: [`create table t (${Array.from({ length: 101 }, (_, i) => `c${i}`).join(', ')})`],
  },
  {
    what: 'a `like` pattern of 51 bytes',
    sql: ['select ? like ?'],
    bindings: ['x', 'x'.repeat(51)],
  },
  { what: '`begin`', sql: ['begin'] },
  { what: '`create temp table`', sql: ['create temp table t (a)'] },
  { what: '`attach`', sql: ["attach ':memory:' as other"] },
  { what: '`pragma user_version = 1`', sql: ['pragma user_version = 1'] },
  { what: '`select sqlite_version()`', sql: ['select nullif(1, length(sqlite_version()) > 0)'] },
  { what: 'a table named `_cf_x`', sql: ['create table _cf_x (a)'] },
  {
    what: '`"nope"`, a column that is not there',
    sql: ['create table t (a)', 'insert into t values (1)', 'select "nope" from t'],
  },
  { what: '`true` bound', sql: ['select ?'], bindings: [true] },
  { what: '2^53 + 1 read', sql: ['select 9007199254740993'] },
]

/** The rows of the table in the document. */
const rows = Array.from(
  readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8').matchAll(
    /^\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm,
  ),
  ([, what = '', node = '', durableObject = '']) => ({ what, node, durableObject }),
).filter(({ what }) => what !== 'Statement' && !what.startsWith('--'))

/** What was answered, in the words of the document, which may cut it short with an ellipsis. */
function asIn(cell: string, answer: Answer): string {
  const words = answer === null ? 'done' : String(answer)
  return cell.endsWith(' …') && words.startsWith(cell.slice(0, -2)) ? cell : words
}

describe('the table of stand-ins in docs/testing.md', () => {
  it('should have a row for each statement', () => {
    expect(rows.map(({ what }) => what)).toEqual(statements.map(({ what }) => what))
  })

  it.each(statements)('should say what is made of $what', async (statement) => {
    const row = rows.find(({ what }) => what === statement.what)!
    expect(row).toEqual({
      what: statement.what,
      node: asIn(row.node, inNode(statement)),
      durableObject: asIn(row.durableObject, await inDurableObject(statement)),
    })
  })
})
