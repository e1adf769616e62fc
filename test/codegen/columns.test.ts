import { describe, expect, it } from 'vitest'
import {
  type ColumnMapping,
  generateKyselyDbInterface,
  type GenerateKyselyDbInterfaceOptions,
  introspectSchema,
} from '../../src/index.js'
import { inDurableObject } from '../harness.js'

/** The generated text, without its header, of a database with these tables. */
function generated(
  options: GenerateKyselyDbInterfaceOptions,
  ...statements: readonly string[]
): Promise<string[]> {
  return inDurableObject<never, string[]>(async ({ sql }) => {
    for (const statement of statements) {
      sql.exec(statement)
    }
    return generateKyselyDbInterface(introspectSchema(sql), options).trimEnd().split('\n').slice(2)
  })
}

/** The codecs that are written for a table `t` with these columns. */
async function codecs(columns: string): Promise<string[]> {
  const lines = await generated({ columns: true }, `create table t (${columns})`)
  return lines.filter((line) => line.startsWith('    ')).map((line) => line.trim())
}

const PERSON = `create table person (
  id integer primary key,
  active boolean not null default true,
  created_at integer not null,
  prefs text check (json_valid(prefs)),
  balance integer not null,
  cents integer
)`

describe('generateKyselyDbInterface with columns', () => {
  it('should write the codecs beside the interface, and their types in it', async () => {
    const mappings: Record<string, ColumnMapping> = {
      created_at: { codec: 'date:milliseconds' },
      prefs: { codec: 'json', type: 'Prefs', imports: { Prefs: './prefs.js' } },
      balance: { codec: 'int64' },
      cents: {
        codec: 'money',
        type: 'Money',
        imports: { money: './money.js', Money: './money.js' },
      },
    }
    const mapping = ({ name }: { name: string }): ColumnMapping | undefined => mappings[name]
    expect(
      await generated(
        { columns: true, mapping },
        PERSON,
        'create view v as select active from person',
      ),
    ).toMatchInlineSnapshot(`
        [
          "import type { ColumnType, Generated } from 'kysely'",
          "import { boolean, columnTypes, date, int64, json } from 'kysely-durable-sqlite/columns'",
          "import { money } from './money.js'",
          "import type { Money } from './money.js'",
          "import type { Prefs } from './prefs.js'",
          "",
          "export interface DB {",
          "  person: Person",
          "  v: V",
          "}",
          "",
          "export interface Person {",
          "  id: ColumnType<number, number | bigint | undefined, number | bigint>",
          "  active: Generated<boolean>",
          "  created_at: Date",
          "  prefs: Prefs | null",
          "  balance: bigint",
          "  cents: Money | null",
          "}",
          "",
          "export interface V {",
          "  active: ColumnType<boolean | null, never, never>",
          "}",
          "",
          "export const columns = columnTypes<DB>({",
          "  person: {",
          "    active: boolean(),",
          "    created_at: date('milliseconds'),",
          "    prefs: json<Prefs>(),",
          "    balance: int64(),",
          "    cents: money,",
          "  },",
          "  v: {",
          "    active: boolean(),",
          "  },",
          "})",
        ]
      `)
  })

  it('should give the types alone without it, and infer nothing', async () => {
    const mapping = ({ name }: { name: string }): ColumnMapping | undefined =>
      name === 'created_at' ? { codec: 'date:iso' } : undefined
    const lines = await generated({ mapping }, PERSON)
    expect(lines).toContain('  created_at: Date')
    expect(lines).toContain(
      '  active: ColumnType<number, number | boolean | undefined, number | boolean>',
    )
    expect(lines.join('\n')).not.toMatch(/columnTypes|kysely-durable-sqlite/)
  })

  it('should use the names of CamelCasePlugin, and tell the columns so', async () => {
    const lines = await generated(
      { columns: true, camelCase: true },
      'create table user_role (is_admin bool not null)',
    )
    expect(lines.slice(lines.indexOf('export interface UserRole {'))).toEqual([
      'export interface UserRole {',
      '  isAdmin: boolean',
      '}',
      '',
      'export const columns = columnTypes<DB>({',
      '  userRole: {',
      '    isAdmin: boolean(),',
      '  },',
      '}, { camelCase: true })',
    ])
  })

  it('should import only what it uses, where CamelCasePlugin cannot reach a column or a table', async () => {
    const lines = await generated(
      { columns: true, camelCase: true },
      'create table a (user_role text, userRole text default (1), n int)',
      'create table user_roles (id text)',
      'create table userRoles (is_admin bool not null)',
    )
    expect(lines.filter((line) => line.startsWith('import'))).toEqual([
      "import type { ColumnType } from 'kysely'",
      "import { columnTypes } from 'kysely-durable-sqlite/columns'",
    ])
  })

  it.each([
    ['a boolean', ['a: boolean(),']],
    ['a BOOL', ['a: boolean(),']],
    ['a integer check (a in (0, 1))', ['a: boolean(),']],
    ['a integer check (a in (false, true) or a is null)', ['a: boolean(),']],
    ['a integer check (a in (0, 1, 2))', []],
    ['a text check (a in (0, 1))', []],
    ['a boolean check (a in (0, 1, 2))', []],
    ['a json', ['a: json<Json>(),']],
    ['a text check (json_valid(a))', ['a: json<Json>(),']],
    ['a text check (a is null or json_valid(a) = 1)', ['a: json<Json>(),']],
    [
      'a text, b text check (json_valid(a) and (json_valid("b", 1)))',
      ['a: json<Json>(),', 'b: json<Json>(),'],
    ],
    ['a text check (json_valid(a) or length(a) = 1)', []],
    ['a text, b text check (json_valid(a) or json_valid(b))', []],
    ['a text check (not json_valid(a))', []],
    ['a blob check (json_valid(a, 8))', []],
    ['a text check (a is null)', []],
    ['a integer, b text, c blob, d real', []],
  ])('should infer from %s the codecs %j', async (columns, expected) => {
    expect(await codecs(columns)).toEqual(expected)
  })

  it('should name no table like a type that it uses, and set no prototype', async () => {
    const lines = await generated(
      { columns: true, mapping: ({ name }) => (name === 'at' ? { codec: 'date:iso' } : undefined) },
      'create table date (at text not null)',
      'create table json (data json)',
      'create table __proto__ (__proto__ boolean)',
    )
    expect(lines).toContain('  date: Date2')
    expect(lines).toContain('  json: Json2')
    expect(lines).toContain("  ['__proto__']: {")
    expect(lines).toContain("    ['__proto__']: boolean(),")
  })

  it.each<[ColumnMapping, RegExp]>([
    [{ codec: 'float' }, /^There is no codec 'float'\. Use boolean, /],
    [{ codec: 'date:days' }, /^There is no codec 'date:days'\. /],
    [{ codec: 'own', imports: { own: './own.js' } }, /^The codec 'own' has no type\. /],
    [{ type: 'X', imports: { 'X }': './x.js' } }, /^The import 'X }' cannot have that name\. /],
    [{ type: 'columns', imports: { columns: './x.js' } }, /^The import 'columns' cannot have /],
  ])('should refuse the mapping %j', (mapping, message) =>
    inDurableObject<never>(async ({ sql }) => {
      sql.exec('create table t (a)')
      expect(() =>
        generateKyselyDbInterface(introspectSchema(sql), { mapping: () => mapping }),
      ).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_COLUMN_MAPPING',
          message: expect.stringMatching(message),
        }),
      )
    }),
  )
})

describe('the columns of FTS5', () => {
  it('should be texts, but for what it does not index', async () => {
    const lines = await generated(
      {},
      `create virtual table docs using fts5(title, "the body", ref unindexed, tokenize = 'porter ascii')`,
    )
    expect(lines.slice(lines.indexOf('export interface Docs {'))).toEqual([
      'export interface Docs {',
      '  title: string | null',
      "  'the body': string | null",
      '  ref: string | number | Uint8Array | null',
      '}',
    ])
  })
})
