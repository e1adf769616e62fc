import { CompiledQuery, type Generated, sql as sqlTag } from 'kysely'
import { expect, it } from 'vitest'
import { explain } from '../../src/cost/index.js'
import { inDurableObject } from '../harness.js'

interface Database {
  team: { id: Generated<number>; title: string }
  person: { id: Generated<number>; team_id: number; name: string; age: number }
  doc: { body: string; rowid: number }
}

const SCHEMA = [
  'create table team (id integer primary key, title text)',
  'create table person (id integer primary key, team_id integer references team (id) on delete cascade, name text, age integer)',
  'create index person_team on person (team_id, age)',
  'create table `odd ``name`` USING INDEX x` (id integer primary key, v text)',
  'create virtual table doc using fts5 (body)',
  'create virtual table box using rtree (id, x0, x1)',
  'create view member as select p.name, t.title from person p join team t on t.id = p.team_id',
  'create table log (id integer primary key autoincrement, text text)',
  `create trigger team_renamed after update on team begin
    insert into log (text) select name from person where name = new.title;
    delete from log where id < new.id;
  end`,
]

function withSchema(
  body: (scope: {
    plan: (sql: string, ...parameters: unknown[]) => ReturnType<typeof explain>
    sql: SqlStorage
  }) => void,
): Promise<void> {
  return inDurableObject(({ sql }) => {
    for (const statement of SCHEMA) {
      sql.exec(statement)
    }
    body({
      plan: (text, ...parameters) => explain(sql, CompiledQuery.raw(text, parameters)),
      sql,
    })
  })
}

it('should tell tables by their own names, however a statement calls them', () =>
  inDurableObject<Database>(({ db, sql }) => {
    for (const statement of SCHEMA) {
      sql.exec(statement)
    }
    const query = db
      .selectFrom('person as team')
      .innerJoin('team as person', 'person.id', 'team.team_id')
      .where('team.team_id', '=', 1)
      .orderBy('team.name')
      .selectAll()
    const plan = {
      steps: [
        {
          detail: 'SEARCH person USING INTEGER PRIMARY KEY (rowid=?)',
          table: 'team',
          access: 'search',
        },
        {
          detail: 'SEARCH team USING INDEX person_team (team_id=?)',
          table: 'person',
          access: 'search',
          index: 'person_team',
        },
        { detail: 'USE TEMP B-TREE FOR ORDER BY', temporaryBTree: 'order by' },
      ],
      reads: ['person', 'team'],
      writes: [],
    }
    expect(explain(sql, query)).toEqual(plan)
    expect(explain(sql, query.compile())).toEqual(plan)
  }))

it('should tell which of the tables of a sub-select and of what it is in is which', () =>
  withSchema(({ plan }) => {
    expect(
      plan('select * from person p where p.id in (select t.id from team t where t.id < 5)').steps,
    ).toEqual([
      {
        detail: 'SEARCH p USING INTEGER PRIMARY KEY (rowid=?)',
        table: 'person',
        access: 'search',
      },
      { detail: 'LIST SUBQUERY 1' },
      {
        detail: 'SEARCH t USING INTEGER PRIMARY KEY (rowid<?)',
        table: 'team',
        access: 'search',
      },
    ])
  }))

it('should tell an index and a table apart, whatever their names are', () =>
  withSchema(({ plan }) => {
    expect(plan('select * from `odd ``name`` USING INDEX x` where v = 1').steps).toEqual([
      {
        detail: 'SCAN odd `name` USING INDEX x',
        table: 'odd `name` USING INDEX x',
        access: 'scan',
      },
    ])
  }))

it('should see through views, triggers and foreign-key actions', () =>
  withSchema(({ plan }) => {
    expect(plan('select * from member where title = ?', 'x')).toEqual({
      steps: [
        { detail: 'SCAN t', table: 'team', access: 'scan' },
        {
          detail: 'SEARCH p USING INDEX person_team (team_id=?)',
          table: 'person',
          access: 'search',
          index: 'person_team',
        },
      ],
      reads: ['person', 'team'],
      writes: [],
    })
    expect(plan('update team set title = ? where id = ?', 'x', 1)).toEqual({
      steps: [
        {
          detail: 'SEARCH team USING INTEGER PRIMARY KEY (rowid=?)',
          table: 'team',
          access: 'search',
        },
        { detail: 'SCAN person', table: 'person', access: 'scan', trigger: 'team_renamed' },
        { detail: 'SEARCH log', table: 'log', access: 'search', trigger: 'team_renamed' },
      ],
      reads: ['log', 'person', 'sqlite_sequence', 'team'],
      writes: ['log', 'sqlite_sequence', 'team'],
    })
    const { steps, writes } = plan('delete from team where id = ?', 1)
    expect(writes).toEqual(['person', 'team'])
    expect(steps.filter(({ trigger }) => trigger === null)).toContainEqual({
      detail: 'SEARCH person USING INDEX person_team',
      table: 'person',
      access: 'search',
      index: 'person_team',
      trigger: null,
    })
  }))

it('should tell virtual tables and lists apart', () =>
  withSchema(({ plan }) => {
    const access = (text: string, ...parameters: unknown[]): unknown[] =>
      plan(text, ...parameters).steps.map(({ table, access }) => [table, access])
    expect(access('select * from doc as d where d.body match ?', 'x')).toEqual([['doc', 'search']])
    expect(access('select * from doc as d')).toEqual([['doc', 'scan']])
    expect(access('select * from box where x0 > ?', 1)).toEqual([['box', 'search']])
    expect(access('select * from box where id = ?', 1)).toEqual([['box', 'search']])
    expect(access('select * from box')).toEqual([['box', 'scan']])
    expect(access('select * from json_each(?) as doc', '[]')).toEqual([[undefined, undefined]])
    expect(plan('insert into doc (body) values (?)', 'x').writes).toEqual(['doc'])
    expect(plan('select * from doc, person').reads).toEqual(['doc', 'person'])
  }))

it('should tell automatic indexes, limits and what is no table', () =>
  withSchema(({ plan }) => {
    expect(plan('select * from team t join person p on p.name = t.title').steps).toEqual([
      { detail: 'SCAN t', table: 'team', access: 'scan' },
      {
        detail: 'SEARCH p USING AUTOMATIC COVERING INDEX (name=?)',
        table: 'person',
        access: 'search',
        automaticIndex: true,
      },
    ])
    expect(plan('select * from person limit ?', 3).steps).toEqual([
      { detail: 'SCAN person', table: 'person', access: 'scan', limited: true },
    ])
    expect(
      plan('with c as materialized (select * from team where id = 1) select * from c').steps,
    ).toEqual([
      { detail: 'MATERIALIZE c' },
      {
        detail: 'SEARCH team USING INTEGER PRIMARY KEY (rowid=?)',
        table: 'team',
        access: 'search',
      },
      { detail: 'SCAN c' },
    ])
    expect(plan('select * from person where team_id = 1 or id = 2').steps).toEqual([
      { detail: 'MULTI-INDEX OR' },
      { detail: 'INDEX 1' },
      {
        detail: 'SEARCH person USING INDEX person_team (team_id=?)',
        table: 'person',
        access: 'search',
        index: 'person_team',
      },
      { detail: 'INDEX 2' },
      {
        detail: 'SEARCH person USING INTEGER PRIMARY KEY (rowid=?)',
        table: 'person',
        access: 'search',
      },
    ])
  }))

it('should tell what a statement writes that only looks like a read', () =>
  withSchema(({ plan }) => {
    const { reads, writes } = plan(
      'with p as (select * from person) insert into log (text) select name from p returning id',
    )
    expect([reads, writes]).toEqual([
      ['person', 'sqlite_sequence'],
      ['log', 'sqlite_sequence'],
    ])
    expect(plan('delete from log').writes).toEqual(['log'])
  }))

it('should run nothing, and read no row but the list of tables and indexes', () =>
  withSchema(({ plan, sql }) => {
    sql.exec("insert into team (title) values ('a'), ('b')")
    const listed = sql.exec(`select count(*) as n from sqlite_schema`).one()['n']
    let rowsRead = 0
    let rowsWritten = 0
    const counting: Pick<SqlStorage, 'exec'> = {
      exec: (query, ...bindings) => {
        const cursor = sql.exec(query, ...bindings)
        const rows = [...cursor.raw()]
        rowsRead += cursor.rowsRead
        rowsWritten += cursor.rowsWritten
        return { raw: () => rows.values() } as never
      },
    }
    explain(counting, CompiledQuery.raw('delete from team'))
    expect([rowsRead, rowsWritten]).toEqual([listed, 0])
    plan('drop table team')
    expect(sql.exec('select count(*) as n from team').one()).toEqual({ n: 2 })
  }))

it('should refuse a text of several statements, and run none of them', () =>
  withSchema(({ plan, sql }) => {
    sql.exec("insert into team (title) values ('a')")
    for (const text of [
      'select 1; delete from team',
      'select 1; delete from team;',
      ';; select 1 /* ; */ ; -- \n delete from team',
      // One token to SQLite, quotes included.
      "select $a('); delete from team; select ('",
      "select :a('); delete from team; select ('",
      'create trigger x after insert on team begin select 1; end; delete from team',
    ]) {
      expect(() => plan(text)).toThrow(
        expect.objectContaining({ code: 'ERR_SEVERAL_STATEMENTS', sql: text }),
      )
    }
    expect(sql.exec('select count(*) as n from team').one()).toEqual({ n: 1 })
    expect(plan("select ';' /* ; */ ; -- ;").steps).toEqual([{ detail: 'SCAN CONSTANT ROW' }])
    expect(
      plan('create trigger x after insert on team begin select 1; select 2; end;').writes,
    ).toEqual(['sqlite_schema'])
  }))

it('should say what was wrong with what it was given', () =>
  inDurableObject(({ sql, storage, db }) => {
    const error = (code: string): unknown => expect.objectContaining({ code })
    expect(() => explain(sql, CompiledQuery.raw(' -- nothing'))).toThrow(error('ERR_NO_STATEMENT'))
    expect(() => explain(sql, CompiledQuery.raw('selec 1'))).toThrow(error('SQLITE_ERROR'))
    expect(() => explain(sql, CompiledQuery.raw('select ?', [{}]))).toThrow(
      error('ERR_UNSUPPORTED_PARAMETER'),
    )
    expect(() => explain(storage as never, sqlTag`select 1`.compile(db))).toThrow(
      error('ERR_INVALID_STORAGE'),
    )
  }))

it('should bind the values, on which the plan of a like depends', () =>
  withSchema(({ plan, sql }) => {
    sql.exec('create index person_name on person (name collate nocase)')
    const access = (pattern: string): unknown =>
      plan('select * from person where name like ?', pattern).steps.map(({ access }) => access)
    expect([access('a%'), access('%a')]).toEqual([['search'], ['scan']])
  }))
