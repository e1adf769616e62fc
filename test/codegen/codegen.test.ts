import { CamelCasePlugin } from 'kysely'
import { describe, expect, it } from 'vitest'
import { generateKyselyDbInterface, introspectSchema, type TableSchema } from '../../src/index.js'
import { EVERY_FEATURE } from '../fixtures/every-feature.js'
// oxlint-disable-next-line import/default -- the text of the file
import everyFeatureCamelCase from '../fixtures/every-feature-camel-case.generated.ts?raw'
import type { Database } from '../fixtures/every-feature-camel-case.generated.js'
// oxlint-disable-next-line import/default -- the text of the file
import everyFeature from '../fixtures/every-feature.generated.ts?raw'
import { inDurableObject, type Scope } from '../harness.js'

type AnyDatabase = Record<string, Record<string, unknown>>

function create({ sql }: Pick<Scope<never>, 'sql'>, ...statements: readonly string[]): void {
  for (const statement of statements) {
    sql.exec(statement)
  }
}

/** A member of a generated interface. */
interface Member {
  readonly column: string
  /** `Generated`, `GeneratedAlways` or `ColumnType`, if any. */
  readonly helper: string | undefined
  /** The types that can be read: `["'open'", "'done'", 'null']`. */
  readonly types: readonly string[]
  /** The types that an insert takes. */
  readonly inserted: readonly string[]
}

/** The members of the generated interface of the only table, or of the named one. */
function membersOf(source: string, table: TableSchema): Member[] {
  const typeName = memberLines(source, 'DB').find(([name]) => name === table.name)![1]
  return memberLines(source, typeName).map(([column, type]) => {
    const { helper, types = type } =
      /^(?<helper>Generated|GeneratedAlways|ColumnType)<(?<types>.*)>$/.exec(type)?.groups ?? {}
    const [read = '', inserted = read] = types.split(', ')
    return { column, helper, types: read.split(' | '), inserted: inserted.split(' | ') }
  })
}

function memberLines(source: string, interfaceName: string): [name: string, type: string][] {
  const start = source.indexOf(`export interface ${interfaceName} {\n`)
  const body = source.slice(source.indexOf('\n', start) + 1, source.indexOf('\n}', start))
  return body
    .split('\n')
    .filter((line) => !line.startsWith('  //'))
    .map((line) => {
      const [, name = '', type = ''] = /^ {2}([\w$]+|'(?:[^'\\]|\\.)*'): (.*)$/.exec(line)!
      return [unquote(name), type]
    })
}

function unquote(text: string): string {
  return text
    .replace(/^'|'$/g, '')
    .replace(/\\u\{(\w+)\}/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/\\(.)/g, '$1')
}

/** Whether one of the types, written as in a generated interface, is that of the value. */
function admits(types: readonly string[], value: unknown): boolean {
  return types.some((type) => {
    switch (type) {
      case 'string':
      case 'number':
        return typeof value === type
      case 'Uint8Array':
        return value instanceof Uint8Array
      default:
        return value === sampleOf(type)
    }
  })
}

/** A column of that type that may be NULL. */
const INTEGER = 'ColumnType<number | null, number | bigint | null, number | bigint | null>'
const BLOB =
  'ColumnType<Uint8Array | null, Uint8Array | ArrayBuffer | null, Uint8Array | ArrayBuffer | null>'

const SAMPLES: Record<string, unknown> = {
  string: 'text',
  number: 7,
  bigint: 2n ** 40n,
  boolean: true,
  Uint8Array: Uint8Array.of(1, 2),
  ArrayBuffer: Uint8Array.of(3, 4).buffer,
  null: null,
}

function sampleOf(type: string): unknown {
  return type in SAMPLES ? SAMPLES[type] : type.startsWith("'") ? unquote(type) : Number(type)
}

/** The tables and views of the fixture that have a generated interface. */
function shownTables(sql: SqlStorage): TableSchema[] {
  return introspectSchema(sql).filter(
    ({ name, columns }) => columns.length > 0 && name !== 'kysely_migration',
  )
}

function isRequired({ helper, inserted }: Member): boolean {
  const isOptional = ['null', 'undefined', 'never'].some((type) => inserted.includes(type))
  return (helper === undefined || helper === 'ColumnType') && !isOptional
}

/** Whether these are literals. The other columns of `checked` admit less than their types say. */
function isUnion(types: readonly string[]): boolean {
  return types.some((type) => !(type in SAMPLES))
}

/** The columns of the row that the fixture's generated interface does not have, or not so. */
function misfits(table: TableSchema, row: Record<string, unknown>): unknown[] {
  const members = new Map(
    membersOf(everyFeature, table).map(({ column, types }) => [column, types]),
  )
  return [
    ...[...members.keys()].filter((column) => !Object.hasOwn(row, column)),
    ...Object.entries(row).filter(([column, value]) => !admits(members.get(column) ?? [], value)),
  ]
}

async function generatedFrom(statements: readonly string[]): Promise<string> {
  return inDurableObject<never, string>((scope) => {
    create(scope, ...statements)
    return generateKyselyDbInterface(introspectSchema(scope.sql).toReversed())
  })
}

/** The generated members of a table `t` with these columns. */
function membersOfColumns(columns: string): Promise<string[]> {
  return inDurableObject<never, string[]>((scope) => {
    create(scope, `create table t (${columns})`)
    const source = generateKyselyDbInterface(introspectSchema(scope.sql))
    return memberLines(source, 'T').map(([name, type]) => `${name}: ${type}`)
  })
}

describe('generateKyselyDbInterface', () => {
  it('should give the committed text for a schema with every feature', () =>
    inDurableObject<never>(async (scope) => {
      await scope.storage.put('key', 'value')
      await scope.storage.setAlarm(Date.now() + 60_000)
      create(scope, ...EVERY_FEATURE)
      const tables = introspectSchema(scope.sql)
      expect(generateKyselyDbInterface(tables)).toBe(everyFeature)
      expect(
        generateKyselyDbInterface(tables, { camelCase: true, interfaceName: 'Database' }),
      ).toBe(everyFeatureCamelCase)
    }))

  it('should say of each column what is read from a row without its optional columns', () =>
    inDurableObject<AnyDatabase>(async ({ sql, db }) => {
      create({ sql }, ...EVERY_FEATURE)
      const tables = shownTables(sql)
      for (const table of tables.filter(({ kind }) => kind !== 'view')) {
        const required = membersOf(everyFeature, table).filter(isRequired)
        const row = required.map(({ column, types }) => [column, sampleOf(types[0]!)])
        const insert = db.insertInto(table.name)
        await (
          row.length === 0 ? insert.defaultValues() : insert.values(Object.fromEntries(row))
        ).execute()
      }
      for (const table of tables) {
        const row = await db.selectFrom(table.name).selectAll().executeTakeFirstOrThrow()
        expect({ [table.name]: misfits(table, row) }).toEqual({ [table.name]: [] })
      }
      expect(tables).toHaveLength(30)
    }))

  it('should say of each column what is read from a row with every value that it admits', () =>
    inDurableObject<AnyDatabase>(async ({ sql, db }) => {
      create({ sql }, ...EVERY_FEATURE, 'pragma defer_foreign_keys = on')
      for (const table of shownTables(sql).filter(({ kind }) => kind !== 'view')) {
        const writable = membersOf(everyFeature, table).filter(
          ({ helper, types }) =>
            helper !== 'GeneratedAlways' && (table.name !== 'checked' || isUnion(types)),
        )
        for (let turn = 0; turn < 12; turn++) {
          const row = writable.map(({ column, inserted }) => {
            const types = inserted.filter((type) => type !== 'undefined')
            return [column, sampleOf(types[turn % types.length]!)]
          })
          await db.insertInto(table.name).values(Object.fromEntries(row)).execute()
          const read = await db.selectFrom(table.name).selectAll().executeTakeFirstOrThrow()
          expect({ [table.name]: misfits(table, read) }).toEqual({ [table.name]: [] })
          await db.deleteFrom(table.name).execute()
        }
      }
    }))

  it('should give names that work with CamelCasePlugin', () =>
    inDurableObject<Database>(
      async ({ sql, db }) => {
        create({ sql }, ...EVERY_FEATURE)
        await db.insertInto('userRole').values({ createdAt: 'today' }).execute()
        expect(await db.selectFrom('userRole').select(['id', 'createdAt']).execute()).toEqual([
          { id: 1, createdAt: 'today' },
        ])
        await db.insertInto('strictTable').values({ code: 'a', required: 1 }).execute()
        expect(await db.selectFrom('strictTable').select('required').execute()).toEqual([
          { required: 1 },
        ])
      },
      { kysely: { plugins: [new CamelCasePlugin()] } },
    ))

  it('should give the same text for the same schema, in whatever order it came about', async () => {
    const statements = [
      'create table b (id integer primary key)',
      'create table a (id integer primary key)',
      'create view c as select id from a',
      'create table a_2 (id integer primary key)',
      'create table "a-2" (id integer primary key)',
    ]
    expect(await generatedFrom(statements)).toBe(await generatedFrom(statements.toReversed()))
    expect(await generatedFrom(statements)).toMatchInlineSnapshot(`
      "// Generated by kysely-durable-sqlite from the schema of a database. Do not edit.

      import type { ColumnType } from 'kysely'

      export interface DB {
        a: A
        'a-2': A2
        a_2: A22
        b: B
        c: C
      }

      export interface A {
        id: ColumnType<number, number | bigint | undefined, number | bigint>
      }

      export interface A2 {
        id: ColumnType<number, number | bigint | undefined, number | bigint>
      }

      export interface A22 {
        id: ColumnType<number, number | bigint | undefined, number | bigint>
      }

      export interface B {
        id: ColumnType<number, number | bigint | undefined, number | bigint>
      }

      export interface C {
        id: ColumnType<number | null, never, never>
      }
      "
    `)
  })

  it('should give an empty interface for an object without tables', () => {
    expect(generateKyselyDbInterface([])).toMatchInlineSnapshot(`
      "// Generated by kysely-durable-sqlite from the schema of a database. Do not edit.

      export interface DB {}
      "
    `)
  })

  it.each(['', 'db', 'My DB', '2DB', 'Generated', 'Uint8Array', 'D"B', 'string'])(
    'should refuse the interface name %j',
    (interfaceName) => {
      expect(() => generateKyselyDbInterface([], { interfaceName })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_INTERFACE_NAME' }),
      )
    },
  )
})

describe('the union of a CHECK constraint', () => {
  it.each([
    [`a text check (a in ('x', 'y'))`, `'x' | 'y' | null`],
    [`a text not null check (a in ('x'))`, `'x'`],
    [`a text check (A IN ('x') AND length(a) > 0)`, `'x' | null`],
    [`"a" text check (((("a" in ('x')))))`, `'x' | null`],
    [`a text check (a = 'x' or 'y' = a)`, 'string | null'],
    [`a text check (a = 'x' or a == 'y' or [a] in ('z', 'x'))`, `'x' | 'y' | 'z' | null`],
    [`a text check (a is null or a in ('x'))`, `'x' | null`],
    [`a text check (a is not null and a in ('x'))`, `'x' | null`],
    [`a text check (a is null)`, 'string | null'],
    [`a text check (a in ('x', "y"))`, `'x' | 'y' | null`],
    [`a text check (a in ('x', upper('y')))`, 'string | null'],
    [`a text check (a in ('x', null))`, 'string | null'],
    [`a text check (a not in ('x'))`, 'string | null'],
    [`a text check (not a in ('x'))`, 'string | null'],
    [`a text check (a in ('x') or 1)`, 'string | null'],
    [`a text check (a in ('x') or length(a) = 1 and a in ('y'))`, `'x' | 'y' | null`],
    [`a text check (1 between 0 and a in ('x'))`, 'string | null'],
    [`a text check (length(a) between 0 and 3 and a in ('x'))`, `'x' | null`],
    [`a text check (case when 1 and a in ('x') and 0 then 0 else 1 end)`, 'string | null'],
    [`a text check (a in ('x') in (0, 1))`, 'string | null'],
    [`a text check (a in ('x') = 0)`, 'string | null'],
    [`a text check (a collate nocase in ('x'))`, 'string | null'],
    [`a text collate nocase check (a in ('x'))`, 'string | null'],
    [`a text collate binary check (a in ('x'))`, `'x' | null`],
    [`a text check (a in (1, 2))`, 'string | null'],
    [`a text check (lower(a) in ('x'))`, 'string | null'],
    [`a integer check (a in (0, 1))`, '0 | 1 | null'],
    [`a integer check (a in (-1, +2, 0x10, 1e2))`, '-1 | 2 | 16 | 100 | null'],
    [`a integer check (a in (true, false))`, '1 | 0 | null'],
    [`a integer check (a in ('1', '2'))`, INTEGER],
    [`a integer check (a in (9007199254740993))`, INTEGER],
    [`a integer check (a in (1, 'none'))`, `1 | 'none' | null`],
    [`a real check (a in (0.5, .25))`, '0.5 | 0.25 | null'],
    [`a check (a in (1, '1'))`, `1 | '1' | null`],
    [`a blob check (a in (x'00'))`, BLOB],
    [`a text check (a in ('it''s', 'a\\b', '\n'))`, String.raw`'it\'s' | 'a\\b' | '\u{a}' | null`],
    [`a text default 'x' check (a in ('x'))`, `Generated<'x' | null>`],
    [`a text generated always as ('x') check (a in ('x')), b`, `GeneratedAlways<'x' | null>`],
  ])('should be, for %s, %s', async (columns, type) => {
    expect((await membersOfColumns(columns))[0]).toBe(`a: ${type}`)
  })

  it('should be what SQLite accepts and gives back, and all of it', () =>
    inDurableObject<AnyDatabase>(async ({ sql, db }) => {
      create({ sql }, ...EVERY_FEATURE)
      const table = shownTables(sql).find(({ name }) => name === 'checked')!
      const members = membersOf(everyFeature, table)
      const required = { status: 'open', flag: 1 }
      for (const { column, types } of members.filter(({ types }) => isUnion(types))) {
        for (const type of types) {
          const value = sampleOf(type)
          const [row] = await db
            .insertInto('checked')
            .values({ ...required, [column]: value })
            .returning(column)
            .execute()
          expect(row).toEqual({ [column]: value })
        }
        for (const value of ['neither', 99, ...(types.includes('null') ? [] : [null])]) {
          await expect(
            db
              .insertInto('checked')
              .values({ ...required, [column]: value })
              .execute(),
          ).rejects.toThrow(/^(?:CHECK|NOT NULL) constraint failed/)
        }
      }
    }))

  it('should not be taken from a name that is a column', async () => {
    expect(await membersOfColumns(`a text, y text, check (a in ('x', "y"))`)).toEqual([
      'a: string | null',
      'y: string | null',
    ])
    expect(await membersOfColumns(`a text, "true" text, check (a in (true))`)).toEqual([
      'a: string | null',
      'true: string | null',
    ])
    expect(
      await membersOfColumns(
        `a text, end int, check (case when end and a in ('x') and 0 then 0 else 1 end)`,
      ),
    ).toEqual(['a: string | null', `end: ${INTEGER}`])
  })

  it('should be of the column that the CHECK names, wherever it is written', async () => {
    expect(
      await membersOfColumns(
        `a text check (b in ('x')), b text, c text, check (c in ('z')) check (a = 'y')`,
      ),
    ).toEqual([`a: 'y' | null`, `b: 'x' | null`, `c: 'z' | null`])
  })
})
