import * as fc from 'fast-check'
import {
  CamelCasePlugin,
  Kysely,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely'
import { expect, it } from 'vitest'
import { DurableObjectSqliteDialect, type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject } from '../harness.js'
import { type AnyKysely, randomQuery, type RandomQuery, type ResultColumn } from './random-query.js'
import {
  columnsOf,
  createTables,
  decodeByHand,
  encodeByHand,
  type RandomTable,
  randomTables,
} from './random-schema.js'

const tablesAndQueries = randomTables.chain((tables) =>
  fc.record({
    tables: fc.constant(tables),
    queries: fc.array(randomQuery(tables), { minLength: 1, maxLength: 6 }),
  }),
)

/** What the query has to give: what SQLite gives for values encoded by hand, decoded by hand. */
function expectedRows(
  sql: SqlStorage,
  plain: AnyKysely,
  query: RandomQuery,
  nameOf: (name: string) => string,
): Record<string, unknown>[] {
  const name = (name: string): string => name
  const compiled = query.write({ db: plain, name, value: encodeByHand }).compile()
  return [...sql.exec(compiled.sql, ...compiled.parameters).raw()].map((values) => {
    const row: Record<string, unknown> = {}
    expect(values.length).toBe(query.columns.length)
    for (const [i, column] of query.columns.entries()) {
      row[nameOf(column.name)] = decode(column, values[i], nameOf)
    }
    return row
  })
}

function decode({ kind }: ResultColumn, value: unknown, nameOf: (name: string) => string): unknown {
  if (typeof kind === 'string') {
    return decodeByHand(kind, value)
  }
  if (value === null) {
    return null
  }
  const decodeObject = (object: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      kind.fields.map((field) => [nameOf(field.name), decode(field, object[field.name], nameOf)]),
    )
  const json = JSON.parse(value as string) as Record<string, unknown>[]
  return kind.isArray
    ? json.map(decodeObject)
    : decodeObject(json as unknown as Record<string, unknown>)
}

/** SQLite may join the tables in another order for a query that is written in another way. */
function inOrder(rows: readonly unknown[]): unknown[] {
  const keyOf = (row: unknown): string =>
    JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  return rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

interface Runs {
  readonly numRuns: number
  readonly plugins?: readonly KyselyPlugin[]
  /** How the names of the database are written. */
  readonly nameOf?: (name: string) => string
  readonly seed?: number
}

function assertEqualRows({
  numRuns,
  plugins = [],
  nameOf = (name) => name,
  seed,
}: Runs): Promise<void> {
  return fc.assert(
    fc.asyncProperty(tablesAndQueries, ({ tables, queries }) =>
      inDurableObject(async ({ sql, storage }) => {
        createTables(sql, tables)
        const plain: AnyKysely = new Kysely({ dialect: new DurableObjectSqliteDialect(storage) })
        const db: AnyKysely = new Kysely({
          dialect: new DurableObjectSqliteDialect(storage, { columns: columnsOf(tables) }),
          plugins: [...plugins],
        })
        const sync = new SyncExecutor(db, storage)
        for (const query of queries) {
          const expected = inOrder(expectedRows(sql, plain, query, nameOf))
          const built = query.write({ db, name: nameOf, value: (_, value) => value })
          expect(inOrder(await built.execute())).toEqual(expected)
          expect(inOrder(sync.execute(built))).toEqual(expected)
          const prepared = sync.prepare(() => built)
          expect(inOrder(prepared.execute())).toEqual(expected)
          expect(inOrder(prepared.execute())).toEqual(expected)
          const streamed: unknown[] = []
          for await (const row of built.stream()) {
            streamed.push(row)
          }
          expect(inOrder(streamed)).toEqual(expected)
        }
      }),
    ),
    { numRuns, ...(seed === undefined ? {} : { seed }) },
  )
}

it('should give what the columns that values come from say, whatever the query', () =>
  expect(assertEqualRows({ numRuns: 30 })).resolves.toBeUndefined())

/** As `CamelCasePlugin` writes the names of the database. */
function camelCase(name: string): string {
  return name.replace(/_(?=[a-z])([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

class OtherPlugin implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return node
  }

  async transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return this.transformResultSync(args)
  }

  transformResultSync({ result }: PluginTransformResultArgs): QueryResult<UnknownRow> {
    return { ...result, rows: result.rows.map((row) => ({ ...row })) }
  }
}

it.each([
  ['before', [new CamelCasePlugin({ maintainNestedObjectKeys: true }), new OtherPlugin()]],
  ['after', [new OtherPlugin(), new CamelCasePlugin({ maintainNestedObjectKeys: true })]],
])('should do so with CamelCasePlugin %s another plugin', (_, plugins) =>
  expect(assertEqualRows({ numRuns: 15, plugins, nameOf: camelCase })).resolves.toBeUndefined(),
)

/** All that SQLite has of a table: values, their types, and integers to the last digit. */
function contents(sql: SqlStorage, { name, columns }: RandomTable): unknown {
  const selected = columns.map(({ name }) => `${name}, typeof(${name}), cast(${name} as text)`)
  return [...sql.exec(`select ${selected.join(', ')} from ${name} order by rowid`).raw()]
}

function assertEqualWrites(numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(randomTables, fc.constantFrom(1, 60), (tables, times) =>
      inDurableObject(async ({ sql, storage }) => {
        const many = tables.map((table) => ({
          ...table,
          rows: Array.from({ length: times }, () => table.rows).flat(),
        }))
        createTables(sql, many)
        const db: AnyKysely = new Kysely({
          dialect: new DurableObjectSqliteDialect(storage, { columns: columnsOf(tables) }),
        })
        const sync = new SyncExecutor(db, storage)
        for (const table of many) {
          const { name, columns } = table
          const byHand = contents(sql, table)
          const rows = table.rows.map((row) =>
            Object.fromEntries(row.map((value, i) => [columns[i]!.name, value])),
          )
          const insert = sync.prepare((param: QueryParameters<Record<string, unknown>>) =>
            db
              .insertInto(name)
              .values(Object.fromEntries(columns.map(({ name }) => [name, param(name)]))),
          )
          const update = sync.prepare((param: QueryParameters<Record<string, unknown>>) =>
            db
              .updateTable(name)
              .set(Object.fromEntries(columns.map(({ name }) => [name, param(name)])))
              .where('rowid', '=', param('rowid')),
          )
          const ways: (() => unknown)[] = [
            () => db.insertInto(name).values(rows).execute(),
            () => sync.run(db.insertInto(name).values(rows)),
            () => rows.forEach((row) => insert.run(row)),
            () => rows.forEach((_, i) => update.run({ ...rows[i]!, rowid: i + 1 })),
          ]
          for (const write of ways) {
            if (write !== ways.at(-1)) {
              sql.exec(`delete from ${name}`)
            }
            await write()
            expect(contents(sql, table)).toEqual(byHand)
          }
        }
      }),
    ),
    { numRuns },
  )
}

it('should store what is stored by hand, however many rows there are', () =>
  expect(assertEqualWrites(15)).resolves.toBeUndefined())
