import { type Compilable, type Generated, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { DurableObjectSqliteError } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  item: { id: Generated<number>; name: string | null; amount: number | null }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

async function createItems({ db }: Scope<Database>, count: number): Promise<void> {
  await db.schema
    .createTable('item')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('amount', 'real')
    .execute()
  await db
    .insertInto('item')
    .values(
      range(count).map((id) => ({
        id,
        name: id % 10 === 0 ? null : `name ${id}`,
        amount: id % 7 === 0 ? null : id,
      })),
    )
    .execute()
}

describe('a long chain of conditions', () => {
  it('should find by or what its terms find', () =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 600)
      const { db } = scope
      const find = (ids: readonly number[]) =>
        db
          .selectFrom('item')
          .selectAll()
          .where((eb) =>
            eb.or(
              ids.map((id) =>
                id % 2 === 0
                  ? eb('name', '=', `name ${id}`)
                  : eb.and([eb('id', '=', id), eb('amount', '>', id - 1)]),
              ),
            ),
          )
          .orderBy('id')
          .execute()
      const pieces = []
      for (let start = 0; start < 500; start += 20) {
        pieces.push(...(await find(range(500).slice(start, start + 20))))
      }
      expect(pieces.length).toBeGreaterThan(300)
      expect(await find(range(500))).toEqual(pieces)
    }))

  it.each([100, 500, 1_000])('should find by and of %i terms what all of them find', (count) =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 1_200)
      const { db } = scope
      // Row 1,001 and those after it, but for every tenth, where a NULL makes the whole unknown.
      let found = db.selectFrom('item').select('id')
      for (const id of range(count)) {
        found = found.where('name', '!=', `name ${id}`)
      }
      const expected = range(1_200).filter((id) => id > count && id % 10 !== 0)
      expect(await found.orderBy('id').execute()).toEqual(expected.map((id) => ({ id })))
      expect(
        await db
          .selectFrom('item')
          .select('id')
          .where((eb) => eb.not(eb.and(range(count).map((id) => eb('name', '!=', `name ${id}`)))))
          .orderBy('id')
          .execute(),
      ).toEqual(
        range(count)
          .filter((id) => id % 10 !== 0)
          .map((id) => ({ id })),
      )
    }),
  )

  it('should keep the SQL of a short one', () =>
    inDurableObject<Database>(({ db }) => {
      const terms = (count: number) =>
        db
          .selectFrom('item')
          .select('id')
          .where((eb) => eb.or(range(count).map((id) => eb('id', '=', id))))
          .compile().sql
      expect(terms(20)).toBe(
        `select \`id\` from \`item\` where (${range(20)
          .map(() => '`id` = ?')
          .join(' or ')})`,
      )
      expect(terms(22)).toBe(
        `select \`id\` from \`item\` where ((${range(11)
          .map(() => '`id` = ?')
          .join(' or ')}) or (${range(11)
          .map(() => '`id` = ?')
          .join(' or ')}))`,
      )
    }))

  it('should keep what raw SQL with an or of its own means', () =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 50)
      const { db } = scope
      let query = db.selectFrom('item').select('id')
      for (const id of range(30)) {
        query = query.where('id', '!=', id)
        if (id === 15) {
          query = query.where(sql<boolean>`id > 48 or id = 3`)
        }
      }
      // As SQLite reads it: (… and id > 48) or (id = 3 and …).
      expect(await query.orderBy('id').execute()).toEqual([{ id: 3 }, { id: 49 }, { id: 50 }])
      expect(query.compile().sql).toContain('`id` != ? and id > 48 or id = 3 and `id` != ?')
    }))

  it('should use the same index', () =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 1)
      const { db } = scope
      const ids = range(90)
      const balanced = await db
        .selectFrom('item')
        .select('name')
        .where((eb) => eb.or(ids.map((id) => eb('id', '=', id))))
        .explain(undefined, sql`query plan`)
      const flat = await sql`
        explain query plan select name from item where ${sql.join(
          ids.map((id) => sql`id = ${id}`),
          sql` or `,
        )}
      `.execute(db)
      expect(balanced).toEqual(flat.rows)
      expect(balanced[1]).toMatchObject({ detail: 'INDEX 1' })
    }))
})

describe('a long union', () => {
  const select = ({ db }: Scope<Database>, from: number) =>
    db
      .selectFrom('item')
      .select(['id', 'name'])
      .where('id', '>=', from)
      .where('id', '<', from + 3)

  const unionAll = (scope: Scope<Database>) =>
    range(8).reduce((query, id) => query.unionAll(select(scope, id)), select(scope, 1))

  it('should give the rows of union all in the same order', () =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 50)
      const starts = range(20).map((i) => 1 + ((i * 7) % 40))
      const selects = starts.map((start) => select(scope, start))
      const pieces = []
      for (const query of selects) {
        pieces.push(...(await query.execute()))
      }
      const union = selects.reduce((union, query) => union.unionAll(query))
      expect(pieces).toHaveLength(60)
      expect(await union.execute()).toEqual(pieces)
      const nested = selects.reduceRight((union, query) => query.unionAll(union))
      expect(await nested.execute()).toEqual(pieces)
      expect(await union.limit(5).offset(1).execute()).toEqual(pieces.slice(1, 6))
    }))

  it.each<[string, (scope: Scope<Database>) => Compilable]>([
    [
      'rows are compared',
      (scope) => range(8).reduce((query, id) => query.union(select(scope, id)), select(scope, 1)),
    ],
    [
      'operations are of several kinds',
      (scope) =>
        range(8).reduce(
          (query, id) =>
            id === 8 ? query.except(select(scope, id)) : query.unionAll(select(scope, id)),
          select(scope, 1),
        ),
    ],
    ['rows are sorted', (scope) => unionAll(scope).orderBy('name')],
    [
      'it is a sub-select',
      ({ db, ...scope }) =>
        db
          .selectFrom(unionAll({ db, ...scope }).as('all'))
          .select('all.id')
          .where('all.name', '=', '1'),
    ],
    [
      'it is a common table expression',
      ({ db, ...scope }) =>
        db
          .with('all', () => unionAll({ db, ...scope }))
          .selectFrom('all')
          .select('all.id'),
    ],
    [
      'its rows are inserted, where an integer would become a real of a sub-select',
      (scope) => scope.db.insertInto('item').columns(['id', 'name']).expression(unionAll(scope)),
    ],
  ])('should keep the error of the platform, with its hint, where %s', (_, query) =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 20)
      await expect(scope.db.executeQuery(query(scope).compile())).rejects.toMatchObject({
        message: 'too many terms in compound SELECT: SQLITE_ERROR',
        hint: expect.stringMatching(/5 terms.*select \* from/),
      })
    }),
  )

  it('should keep the SQL of a short one, and the names of the columns', () =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 10)
      const { db } = scope
      const union = (count: number) =>
        range(count)
          .map((id) =>
            db
              .selectFrom('item')
              .innerJoin('item as other', 'other.id', 'item.id')
              .select(['item.name', 'other.name', sql`1 + 1`.as('two')])
              .where('item.id', '=', id),
          )
          .reduce((union, query) => union.unionAll(query))
      expect(union(5).compile().sql.split(' union all ')).toEqual(
        range(5).map(
          () =>
            'select `item`.`name`, `other`.`name`, 1 + 1 as `two` from `item` ' +
            'inner join `item` as `other` on `other`.`id` = `item`.`id` where `item`.`id` = ?',
        ),
      )
      expect((await union(9).execute()).at(-1)).toEqual({ name: 'name 9', two: 2 })
    }))
})

describe('a limit of the platform', () => {
  it.each<[string, (count: typeof range) => string, RegExp, RegExp]>([
    [
      'the length of SQL text',
      () => `select '${'a'.repeat(100_000)}'`,
      /^statement too long: SQLITE_TOOBIG$/,
      /100,000 bytes.*parameters/,
    ],
    [
      'the size of a value',
      () => `select replace(hex(zeroblob(1000000)), '0', 'aaaaaaaaaa')`,
      /^string or blob too big: SQLITE_TOOBIG$/,
      /2 MB.*R2/,
    ],
    [
      'the columns of a table',
      (range) =>
        `create table wide (${range(101)
          .map((i) => `c${i}`)
          .join(', ')})`,
      /^too many columns on wide: SQLITE_ERROR$/,
      /at most 100.*second table/,
    ],
    [
      'the columns of a result',
      (range) => `select ${range(101).join(', ')}`,
      /^too many columns in result set: SQLITE_ERROR$/,
      /at most 100/,
    ],
    [
      'the terms of a compound select',
      (range) =>
        range(6)
          .map((i) => `select ${i}`)
          .join(' union all '),
      /^too many terms in compound SELECT: SQLITE_ERROR$/,
      /at most 5 terms.*sub-selects/,
    ],
    [
      'the terms of order by',
      (range) =>
        `select id from item order by ${range(101)
          .map((i) => `id + ${i}`)
          .join(', ')}`,
      /^too many terms in ORDER BY clause: SQLITE_ERROR$/,
      /at most 100 terms/,
    ],
    [
      'the depth of an expression',
      (range) =>
        `select ${range(101)
          .map((i) => `id = ${i}`)
          .join(' or ')} from item`,
      /^Expression tree is too large \(maximum depth 100\): SQLITE_ERROR$/,
      /100 levels.*eb\.or\(\).*parentheses/,
    ],
    [
      'the length of a LIKE pattern',
      () => `select name like '${'a'.repeat(51)}' from item`,
      /^LIKE or GLOB pattern too complex: SQLITE_ERROR$/,
      /50 bytes.*instr/,
    ],
    [
      'the arguments of a function',
      (range) => `select max(${range(128).join(', ')})`,
      /^too many arguments on function max at offset \d+: SQLITE_ERROR$/,
      /127 arguments.*json_each/,
    ],
    [
      'the tables of a join',
      (range) =>
        `select 1 from ${range(65)
          .map((i) => `item as i${i}`)
          .join(', ')}`,
      /^at most 64 tables in a join: SQLITE_ERROR$/,
      /materialized/,
    ],
    [
      'the instructions of a statement',
      (range) =>
        `select 1 in (${range(6_000)
          .map((i) => `abs(${i})`)
          .join(', ')})`,
      /^out of memory: SQLITE_NOMEM$/,
      /25,000 instructions/,
    ],
  ])('should be explained: %s', (_, text, message, hint) =>
    inDurableObject<Database>(async (scope) => {
      await createItems(scope, 1)
      const error = await sql
        .raw(text(range))
        .execute(scope.db)
        .catch((error: unknown) => error)
      expect(error).toBeInstanceOf(DurableObjectSqliteError)
      expect(error).toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
        cause: expect.objectContaining({ message: expect.stringMatching(message) }),
      })
    }),
  )

  it('should leave other errors without a hint', () =>
    inDurableObject<Database>(async ({ db }) => {
      const error = await sql`select * from nowhere`.execute(db).catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'SQLITE_ERROR', hint: undefined })
    }))
})
