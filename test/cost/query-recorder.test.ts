import { CompiledQuery, type Generated, Kysely } from 'kysely'
import { expect, it } from 'vitest'
import { QueryRecorder } from '../../src/cost/index.js'
import { DurableObjectSqliteDialect, type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject } from '../harness.js'

interface Database {
  person: {
    id: Generated<number>
    name: string
    team_id: number | null
    born: number | null
    active: number | null
  }
  team: { id: Generated<number>; title: string }
  setting: { key: string; value: string }
}

interface RecorderScope {
  readonly db: Kysely<Database>
  readonly recorder: QueryRecorder
  readonly storage: DurableObjectStorage
  readonly sql: SqlStorage
}

function withRecorder(body: (scope: RecorderScope) => Promise<void> | void): Promise<void> {
  return inDurableObject(async ({ storage, sql }) => {
    const recorder = new QueryRecorder()
    const db = new Kysely<Database>({
      dialect: new DurableObjectSqliteDialect(storage, { onQuery: recorder.onQuery }),
    })
    sql.exec(
      'create table person (id integer primary key, name text, team_id integer, born integer, active integer)',
    )
    sql.exec('create table team (id integer primary key, title text)')
    sql.exec('create table setting (key text, value text)')
    await body({ db, recorder, storage, sql })
  })
}

it('should have one entry for each statement and table that is read whole', () =>
  withRecorder(async ({ db, recorder, sql }) => {
    for (const name of ['Ada', 'Grace']) {
      await db.selectFrom('person').select('id').where('name', '=', name).execute()
    }
    await db.selectFrom('person').selectAll().where('id', '=', 1).execute()
    await db
      .selectFrom('team as a')
      .innerJoin('team as b', 'b.title', 'a.title')
      .innerJoin('person', 'person.name', 'b.title')
      .select('a.id')
      .execute()
    new SyncExecutor(db, { sql } as DurableObjectStorage)
      .prepare((param: QueryParameters<{ key: string }>) =>
        db.selectFrom('setting').select('value').where('key', '=', param('key')),
      )
      .execute({ key: 'a' })
    const join =
      'select `a`.`id` from `team` as `a` inner join `team` as `b` on `b`.`title` = `a`.`title` ' +
      'inner join `person` on `person`.`name` = `b`.`title`'
    expect(recorder.scans(sql)).toEqual([
      { sql: 'select `id` from `person` where `name` = ?', table: 'person', reason: 'scan' },
      { sql: join, table: 'team', reason: 'scan' },
      { sql: join, table: 'person', reason: 'automatic index' },
      { sql: 'select `value` from `setting` where `key` = ?', table: 'setting', reason: 'scan' },
    ])
  }))

it('should suggest an index only where SQLite then searches, and leave none behind', () =>
  withRecorder(async ({ db, recorder, storage, sql }) => {
    sql.exec('create index person_born on person (born)')
    sql.exec("insert into person (name) values ('Ada'), ('Grace')")
    const person = db.selectFrom('person').select('id')
    await person.where('name', '=', 'Ada').execute()
    await person.where('team_id', '=', 1).where('name', '>', 'A').execute()
    await person.where('team_id', '=', 1).orderBy('name').execute()
    await person.where('born', '=', 1).orderBy('active').execute()
    await person.orderBy('name').limit(3).execute()
    await person.where('name', 'like', '%a').execute()
    await person.where((eb) => eb.or([eb('name', '=', 'a'), eb('team_id', '=', 1)])).execute()
    await db.selectFrom('person').select(db.fn.countAll().as('n')).execute()
    await db.updateTable('person').set({ active: 1 }).where('team_id', 'in', [1, 2]).execute()
    await db.deleteFrom('team').where('title', '=', 'x').execute()
    await db
      .selectFrom('person')
      .innerJoin('team', 'team.title', 'person.name')
      .select('team.id')
      .where('person.id', '=', 1)
      .execute()
    const schema = sql.exec('select name from sqlite_schema order by name').toArray()
    const suggestions = recorder
      .scans(storage)
      .map(({ table, reason, suggestion }) => `${table}: ${reason}: ${suggestion}`)
    expect(suggestions).toEqual([
      'person: scan: create index `person_name` on `person` (`name`)',
      'person: scan: create index `person_team_id_name` on `person` (`team_id`, `name`)',
      'person: scan: create index `person_team_id_name` on `person` (`team_id`, `name`)',
      'person: sort: create index `person_born_active` on `person` (`born`, `active`)',
      'person: scan: create index `person_name` on `person` (`name`)',
      'person: scan: undefined',
      'person: scan: undefined',
      'person: scan of index: undefined',
      'person: scan: create index `person_team_id` on `person` (`team_id`)',
      'team: scan: create index `team_title` on `team` (`title`)',
      'team: scan: create index `team_title` on `team` (`title`)',
    ])
    expect(sql.exec('select name from sqlite_schema order by name').toArray()).toEqual(schema)
    expect(recorder.scans(sql).some((scan) => 'suggestion' in scan)).toBe(false)
  }))

it('should suggest an index that makes the statement read less', () =>
  withRecorder(async ({ db, recorder, storage, sql }) => {
    sql.exec(
      "with r(i) as (select 1 union all select i + 1 from r where i < 500) insert into person (name, team_id) select 'n' || i, i % 50 from r",
    )
    const query = db
      .selectFrom('person')
      .select('id')
      .where('team_id', '=', 7)
      .orderBy('name')
      .compile()
    const run = (): number => {
      const cursor = sql.exec(query.sql, ...query.parameters)
      cursor.toArray()
      return cursor.rowsRead
    }
    await db.executeQuery(query)
    const before = run()
    const [scan] = recorder.scans(storage)
    sql.exec(scan!.suggestion!)
    expect([before > 500, run()]).toEqual([true, 11])
    expect(recorder.scans(storage)).toEqual([])
  }))

it('should suggest no index with which another table is scanned more often', () =>
  withRecorder(async ({ db, recorder, storage }) => {
    // With an index on `person`, SQLite would scan `team` anew for each row instead of once.
    await db
      .selectFrom('person')
      .leftJoin('team', 'team.title', 'person.name')
      .select('team.id')
      .where('person.team_id', '=', 1)
      .execute()
    expect(recorder.scans(storage)).toMatchObject([
      { table: 'person', reason: 'scan' },
      {
        table: 'team',
        reason: 'automatic index',
        suggestion: 'create index `team_title` on `team` (`title`)',
      },
    ])
    expect(recorder.scans(storage)[0]).not.toHaveProperty('suggestion')
  }))

it('should name a suggested index as nothing else is named', () =>
  withRecorder(async ({ db, recorder, storage, sql }) => {
    sql.exec('create table PERSON_NAME (x)')
    await db.selectFrom('person').select('id').where('name', '=', 'Ada').execute()
    expect(recorder.scans(storage).map(({ suggestion }) => suggestion)).toEqual([
      'create index `person_name_index` on `person` (`name`)',
    ])
  }))

it('should be silent about what is allowed, and tell of an entry that matches nothing', () =>
  withRecorder(async ({ db, recorder, sql }) => {
    await db.selectFrom('setting').selectAll().execute()
    await db.selectFrom('person').select('id').where('name', '=', 'Ada').execute()
    await db.selectFrom('person').select('name').where('active', '=', 1).execute()
    const reason = 'at most 20 rows'
    expect(
      recorder.scans(sql, {
        allow: [
          { table: 'Setting', reason },
          { table: 'person', sql: /where `name`/g, reason },
          { table: 'team', reason },
          { sql: /^delete/, reason },
          { table: 'setting', sql: /where/, reason },
        ],
      }),
    ).toEqual([
      { sql: 'select `name` from `person` where `active` = ?', table: 'person', reason: 'scan' },
      { table: 'team', reason: 'unused allow entry' },
      { sql: '/^delete/', reason: 'unused allow entry' },
      { table: 'setting', sql: '/where/', reason: 'unused allow entry' },
    ])
  }))

it('should leave out statements about the schema, and what failed', () =>
  withRecorder(async ({ db, recorder, sql }) => {
    await db.schema.createTable('gone').addColumn('x', 'integer').execute()
    await db.schema.createIndex('gone_x').on('gone').column('x').execute()
    await db.schema.dropTable('gone').execute()
    await db.executeQuery(CompiledQuery.raw('/* c */ create table other (x)'))
    await db.executeQuery(CompiledQuery.raw('pragma table_list'))
    await expect(db.executeQuery(CompiledQuery.raw('selec 1'))).rejects.toThrow('syntax error')
    await db.introspection.getTables()
    expect(recorder.scans(sql)).toEqual([])
  }))

it('should tell of a statement that SQLite cannot explain any more', () =>
  withRecorder(async ({ db, recorder, sql }) => {
    await db.selectFrom('person').select('id').where('name', '=', 'Ada').execute()
    sql.exec('drop table person')
    expect(recorder.scans(sql)).toEqual([
      { sql: 'select `id` from `person` where `name` = ?', reason: 'not explained' },
    ])
  }))

it('should go by the parameters of the run that read the most rows', () =>
  withRecorder(async ({ db, recorder, sql }) => {
    sql.exec('create index person_name on person (name collate nocase)')
    sql.exec("insert into person (name) values ('Ada'), ('Bob'), ('Cy'), ('Dan'), ('Eve')")
    const like = db.selectFrom('person').select('id')
    await like.where('name', 'like', 'a%').execute()
    expect(recorder.scans(sql)).toEqual([])
    await like.where('name', 'like', '%a').execute()
    await like.where('name', 'like', 'a%').execute()
    expect(recorder.scans(sql).map(({ reason }) => reason)).toEqual(['scan of index'])
  }))

it('should keep one run of a statement, however often it runs', () =>
  withRecorder(({ db, recorder, storage, sql }) => {
    const prepared = new SyncExecutor(db, storage).prepare(
      (param: QueryParameters<{ name: string }>) =>
        db.selectFrom('person').select('id').where('name', '=', param('name')),
    )
    for (let i = 0; i < 100_000; i++) {
      prepared.execute({ name: 'Ada' })
    }
    expect(recorder.scans(sql)).toHaveLength(1)
  }))

it('should want a storage', () => {
  for (const wrong of [undefined, {}, { sql: {} }]) {
    expect(() => new QueryRecorder().scans(wrong as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STORAGE' }),
    )
  }
})
