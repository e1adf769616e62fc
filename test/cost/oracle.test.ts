import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'
import { grows, measure, type Measurement, undone } from './harness.js'
import {
  type Exception,
  fill,
  INDEXES,
  randomQuery,
  type RandomQuery,
  TABLES,
  VIEW,
} from './random-query.js'

/** `VITE_COST_SCHEMAS=200 VITE_COST_SEED=7 npx vitest run … test/cost/oracle.test.ts` for more. */
const SCHEMAS = Number(import.meta.env['VITE_COST_SCHEMAS'] ?? 5)
const SEED = Number(import.meta.env['VITE_COST_SEED'] ?? 1)
const QUERIES = 40

interface Schema {
  readonly indexes: readonly string[]
  readonly queries: readonly RandomQuery[]
}

const schema: fc.Arbitrary<Schema> = fc.record({
  indexes: fc.subarray(INDEXES),
  queries: fc.array(randomQuery, { minLength: QUERIES, maxLength: QUERIES }),
})

function measureAll(rows: number, { indexes, queries }: Schema): Promise<Measurement[]> {
  return inDurableObject(({ storage, sql }) => {
    for (const statement of [...TABLES, VIEW, ...indexes, ...fill(rows)]) {
      sql.exec(statement)
    }
    return queries.map((query) => measure(storage, query.sql, query.parameters(rows)))
  })
}

it('should tell of random queries whether they read more rows in a larger table', async () => {
  let right = 0
  const wrong: string[] = []
  const unexplained: string[] = []
  for (const sample of fc.sample(schema, { seed: SEED, numRuns: SCHEMAS })) {
    const [at100, at1000] = [await measureAll(100, sample), await measureAll(1000, sample)]
    for (const [i, { sql, exceptions }] of sample.queries.entries()) {
      const [small, large] = [at100[i]!, at1000[i]!]
      expect({ sql, scans: small.scans }).toEqual({ sql, scans: large.scans })
      const isTold = large.scans.some(({ reason }) => reason !== 'sort')
      if (isTold === grows(small.rowsRead, large.rowsRead)) {
        right++
        continue
      }
      const reasons: readonly Exception[] = isTold ? ['ends early', 'not reached'] : ['few values']
      const kind = isTold ? 'told, does not grow' : 'grows, not told'
      const line = `${kind}: ${small.rowsRead} → ${large.rowsRead}: ${sql}`
      ;(reasons.some((reason) => exceptions.has(reason)) ? wrong : unexplained).push(line)
    }
  }
  const total = SCHEMAS * QUERIES
  console.log(
    `scans() was right about ${right} of ${total} random queries ` +
      `(${((100 * right) / total).toFixed(1)} %); ${wrong.length} are exceptions of docs/cost.md: ` +
      `${wrong.filter((line) => line.startsWith('told')).length} told that do not grow, ` +
      `${wrong.filter((line) => line.startsWith('grows')).length} that grow by few values.`,
  )
  expect(unexplained).toEqual([])
  expect(right / total).toBeGreaterThan(0.85)
}, 300_000)

it('should suggest indexes with which random queries read no more rows, and mostly fewer', async () => {
  const samples = fc.sample(schema, { seed: SEED, numRuns: Math.ceil(SCHEMAS / 2) })
  let fewer = 0
  let suggestions = 0
  const worse: string[] = []
  for (const { indexes, queries } of samples) {
    await inDurableObject(({ storage, sql }) => {
      for (const statement of [...TABLES, VIEW, ...indexes, ...fill(1000)]) {
        sql.exec(statement)
      }
      for (const query of queries) {
        const parameters = query.parameters(1000)
        const before = measure(storage, query.sql, parameters)
        for (const { table, reason, suggestion } of before.recorder.scans(storage)) {
          if (suggestion === undefined) {
            continue
          }
          suggestions++
          const after = undone(storage, () => {
            sql.exec(suggestion)
            return measure(storage, query.sql, parameters)
          })
          expect(after.scans.map((scan) => scan.table)).not.toContain(table)
          fewer += after.rowsRead < before.rowsRead ? 1 : 0
          // One that saves sorting may read more than what it does not sort.
          if (reason !== 'sort' && after.rowsRead > before.rowsRead) {
            worse.push(`${before.rowsRead} → ${after.rowsRead}: ${query.sql}: ${suggestion}`)
          }
        }
      }
    })
  }
  console.log(
    `Of ${suggestions} suggestions ${fewer} make a statement read fewer rows, ${worse.length} more.`,
  )
  expect(worse).toEqual([])
  expect(fewer / suggestions).toBeGreaterThan(0.5)
}, 300_000)

/** Rows: `person` and `visit` have n each, `team` has n / 5, whose members are 5 each. */
const CASES_SCHEMA = [
  'create table team (id integer primary key, title text)',
  `create table person (
    id integer primary key,
    team_id integer references team (id) on delete cascade,
    name text,
    nickname text,
    age integer not null,
    active integer
  )`,
  'create index person_team on person (team_id, name)',
  'create index person_age on person (age)',
  'create index person_lower on person (lower(nickname))',
  'create index person_active on person (active) where active = 1',
  'create index person_nocase on person (name collate nocase)',
  'create table visit (person_id integer, day integer, note text, primary key (person_id, day)) without rowid',
  'create table log (id integer primary key, team_id integer, text text)',
  'create table child (id integer primary key, log_id integer references log (id) on delete cascade)',
  'create view member as select p.name, t.title from person p join team t on t.id = p.team_id',
  `create trigger team_renamed after update of title on team begin
    update log set text = new.title where team_id = new.id;
  end`,
  `create trigger visit_removed after delete on visit begin
    update person set active = 0 where id = old.person_id;
  end`,
  'create virtual table doc using fts5 (body)',
]

function casesData(n: number): string[] {
  const numbers = `with recursive r(i) as (select 1 union all select i + 1 from r where i < ${n})`
  return [
    `${numbers} insert into team select i, 't' || i from r where i <= ${n} / 5`,
    `${numbers} insert into person
      select i, 1 + i % (${n} / 5), 'n' || i, 'N' || i, i, iif(i <= 5, 1, 0) from r`,
    `${numbers} insert into visit select i, 1, 'v' || i from r`,
    `${numbers} insert into log select i, 1 + i % (${n} / 5), 'l' from r`,
    `${numbers} insert into child select i, i from r`,
    `${numbers} insert into doc (rowid, body) select i, 'word' || i from r`,
  ]
}

const IDS = JSON.stringify(Array.from({ length: 300 }, (_, i) => -i))

/** What, the statement, its parameters, and what is to be printed of it. */
const CASES: readonly (readonly [string, string, readonly unknown[]])[] = [
  ['search by primary key', 'select * from person where id = ?', [5]],
  ['search by index', 'select * from person where team_id = ?', [5]],
  ['range by primary key', 'select * from person where id < ?', [9]],
  ['range by index', 'select * from person where age < ?', [9]],
  ['no index', 'select * from person where nickname = ?', ['N5']],
  ['everything', 'select * from person', []],
  ['join by key', 'select * from person p join team t on t.id = p.team_id where p.id = ?', [5]],
  ['join that scans', 'select * from team t join log l on l.team_id = t.id where t.id = ?', [5]],
  ['join of everything', 'select * from person p join team t on t.id = p.team_id', []],
  ['join by an automatic index', 'select * from team t join log l on l.text = t.title', []],
  [
    'correlated sub-select by index',
    'select (select count(*) from person p where p.team_id = t.id) from team t where t.id = ?',
    [5],
  ],
  [
    'correlated sub-select that scans',
    'select (select count(*) from log l where l.team_id = t.id) from team t where t.id = ?',
    [5],
  ],
  ['or of two indexes', 'select * from person where team_id = ? or age = ?', [5, 5]],
  [
    'or with a term without index',
    'select * from person where team_id = ? or nickname = ?',
    [5, 'x'],
  ],
  ['like with a prefix', 'select * from person where name like ?', ['n17%x']],
  ['like without a prefix', 'select * from person where name like ?', ['%17']],
  ['in with 3 values', 'select * from person where id in (?, ?, ?)', [1, 2, 3]],
  [
    'in with 300 values',
    'select * from person where id in (select value from json_each(?))',
    [IDS],
  ],
  ['in with values, no index', 'select * from person where nickname in (?, ?)', ['x', 'y']],
  ['partial index', 'select * from person where active = 1', []],
  ['outside a partial index', 'select * from person where active = 2', []],
  [
    'partial index, read whole',
    'select count(*) from person where active = 1 and name <> ?',
    ['x'],
  ],
  ['expression index', 'select * from person where lower(nickname) = ?', ['n5']],
  ['covering index', 'select name from person where team_id = ?', [5]],
  ['covering index, read whole', 'select team_id, name from person where name > ?', ['']],
  ['without rowid, by key', 'select * from visit where person_id = ?', [5]],
  ['without rowid, by other', 'select * from visit where note = ?', ['v5']],
  ['view by index', 'select * from member where name = ? collate nocase', ['n5']],
  ['view that scans', 'select * from member where title = ?', ['t5']],
  ['trigger that scans', 'update team set title = ? where id = ?', ['x', 5]],
  ['trigger that searches', 'delete from visit where person_id = ?', [5]],
  ['cascade by index', 'delete from team where id = ?', [5]],
  ['cascade that scans', 'delete from log where id = ?', [5]],
  ['FTS5 match', 'select * from doc where doc match ?', ['word5']],
  ['FTS5 by rowid', 'select * from doc where rowid = ?', [5]],
  ['FTS5 read whole', 'select * from doc', []],
  ['FTS5 insert', 'insert into doc (body) values (?)', ['x']],
  ['CTE by index', 'with m as (select * from person where team_id = ?) select * from m', [5]],
  [
    'CTE twice, by index',
    'with m as materialized (select * from person where team_id = ?) select * from m a join m b on b.id = a.id',
    [5],
  ],
  ['CTE that scans', 'with m as (select * from person where nickname = ?) select * from m', ['x']],
  [
    'recursive CTE',
    'with recursive r(i) as (select 1 union all select i + 1 from r where i < 5) select * from r join person on id = i',
    [],
  ],
  ['window over a search', 'select rank() over (order by name) from person where team_id = ?', [5]],
  ['window over everything', 'select rank() over (order by age) from person', []],
  ['exists by index', 'select exists (select 1 from person where team_id = ?)', [5]],
  ['exists of any row', 'select exists (select 1 from person)', []],
  ['exists that scans', 'select exists (select 1 from person where nickname = ?)', ['x']],
  ['count of everything', 'select count(*) from person', []],
  ['count by index', 'select count(*) from person where team_id = ?', [5]],
  ['min on an index', 'select min(age) from person', []],
  ['max on an index', 'select max(age) from person', []],
  ['max of the key', 'select max(id) from person', []],
  ['max without index', 'select max(nickname) from person', []],
  ['max on an index, of no row', 'select max(age) from person where nickname = ?', ['x']],
  ['limit without order', 'select * from person limit 3', []],
  ['limit and offset', 'select * from person limit 3 offset 5', []],
  ['limit by index', 'select * from person order by age desc limit 3', []],
  ['limit with a sort', 'select * from person order by nickname limit 3', []],
  ['limit of a condition', 'select * from person where nickname = ? limit 3', ['x']],
  [
    'upsert by key',
    'insert into visit values (?, 1, ?) on conflict (person_id, day) do update set note = excluded.note',
    [5, 'x'],
  ],
  [
    'upsert from a scan',
    'insert into visit select id, 2, name from person where true on conflict do nothing',
    [],
  ],
  ['insert into a parent', 'insert into log (text) values (?)', ['x']],
  [
    'insert from everything',
    'insert into log (team_id, text) select team_id, name from person',
    [],
  ],
  ['update by key', 'update person set nickname = ? where id = ?', ['x', 5]],
  [
    'update from, by index',
    'update person set nickname = t.title from team t where t.id = person.team_id and person.id = ?',
    [5],
  ],
  [
    'update from everything',
    'update person set nickname = t.title from team t where t.id = person.team_id',
    [],
  ],
  ['update without where', 'update log set text = ?', ['x']],
  ['delete by index', 'delete from person where age = ?', [5]],
  ['delete without where', 'delete from child', []],
  ['delete without where, row by row', 'delete from visit', []],
  [
    'union all by index',
    'select id from person where id = ? union all select id from log where id = ?',
    [1, 2],
  ],
  ['full join', 'select * from team t full join log l on l.text = t.title', []],
  ['a few values of an index', 'select * from person where age > ?', [5]],
  ['nothing', 'select 1', []],
]

it('should tell of each kind of statement whether it reads more rows in a larger table', async () => {
  const at = (rows: number): Promise<Measurement[]> =>
    inDurableObject(({ storage, sql }) => {
      for (const statement of [...CASES_SCHEMA, ...casesData(rows)]) {
        sql.exec(statement)
      }
      return CASES.map(([, statement, parameters]) => measure(storage, statement, parameters))
    })
  const [at100, at1000] = [await at(100), await at(1000)]
  const lines = CASES.map(([what], i) => {
    const { rowsRead, scans } = at1000[i]!
    const told = scans.map(({ table, reason }) => `${reason} ${table}`).join(', ') || '-'
    return `${what}: ${grows(at100[i]!.rowsRead, rowsRead) ? 'grows' : 'stays'}: ${told}`
  })
  expect(lines).toMatchInlineSnapshot(`
    [
      "search by primary key: stays: -",
      "search by index: stays: -",
      "range by primary key: stays: -",
      "range by index: stays: -",
      "no index: grows: scan person",
      "everything: grows: scan person",
      "join by key: stays: -",
      "join that scans: grows: scan log",
      "join of everything: grows: scan person",
      "join by an automatic index: grows: scan team, automatic index log",
      "correlated sub-select by index: stays: -",
      "correlated sub-select that scans: grows: scan log",
      "or of two indexes: stays: -",
      "or with a term without index: grows: scan person",
      "like with a prefix: stays: -",
      "like without a prefix: grows: scan person",
      "in with 3 values: stays: -",
      "in with 300 values: stays: -",
      "in with values, no index: grows: scan person",
      "partial index: stays: -",
      "outside a partial index: grows: scan person",
      "partial index, read whole: stays: -",
      "expression index: stays: -",
      "covering index: stays: -",
      "covering index, read whole: grows: scan of index person",
      "without rowid, by key: stays: -",
      "without rowid, by other: grows: scan visit",
      "view by index: stays: -",
      "view that scans: grows: scan team",
      "trigger that scans: grows: scan log",
      "trigger that searches: stays: -",
      "cascade by index: stays: -",
      "cascade that scans: grows: scan child",
      "FTS5 match: stays: -",
      "FTS5 by rowid: stays: -",
      "FTS5 read whole: grows: scan doc",
      "FTS5 insert: stays: -",
      "CTE by index: stays: -",
      "CTE twice, by index: stays: -",
      "CTE that scans: grows: scan person",
      "recursive CTE: stays: -",
      "window over a search: stays: -",
      "window over everything: grows: scan of index person",
      "exists by index: stays: -",
      "exists of any row: stays: -",
      "exists that scans: grows: scan person",
      "count of everything: grows: scan of index person",
      "count by index: stays: -",
      "min on an index: stays: -",
      "max on an index: stays: -",
      "max of the key: stays: -",
      "max without index: grows: scan person",
      "max on an index, of no row: grows: scan of index person",
      "limit without order: stays: -",
      "limit and offset: stays: -",
      "limit by index: stays: -",
      "limit with a sort: grows: scan person",
      "limit of a condition: grows: scan person",
      "upsert by key: stays: -",
      "upsert from a scan: grows: scan of index person",
      "insert into a parent: stays: -",
      "insert from everything: grows: scan of index person",
      "update by key: stays: -",
      "update from, by index: stays: -",
      "update from everything: grows: scan of index person",
      "update without where: grows: scan log",
      "delete by index: stays: -",
      "delete without where: grows: scan child",
      "delete without where, row by row: grows: scan visit",
      "union all by index: stays: -",
      "full join: grows: scan team, scan log",
      "a few values of an index: grows: -",
      "nothing: stays: -",
    ]
  `)
})
