import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnInfo, TableSchema } from '../../src/schema/introspect-schema.js'
import { bundleWorker } from './bundle-worker.ts'

const root = join(import.meta.dirname, '../..')

/** Creates a schema in a new Durable Object, and says what it is and what is generated from it. */
const WORKER = `
  import { DurableObject } from 'cloudflare:workers'
  import { generateKyselyDbInterface, introspectSchema } from './src/index.js'

  export class Schema extends DurableObject {
    async fetch(request) {
      const { sql } = this.ctx.storage
      for (const statement of await request.json()) {
        try {
          sql.exec(statement)
        } catch (error) {
          return new Response(error.message + '\\n' + statement, { status: 500 })
        }
      }
      const tables = introspectSchema(sql)
      return Response.json({
        tables,
        source: generateKyselyDbInterface(tables),
        camelCaseSource: generateKyselyDbInterface(tables, { camelCase: true }),
        columnsSource: generateKyselyDbInterface(tables, { columns: true }),
        camelCaseColumnsSource: generateKyselyDbInterface(tables, { columns: true, camelCase: true }),
      })
    }
  }

  export default {
    fetch(request, env) {
      return env.SCHEMA.get(env.SCHEMA.newUniqueId()).fetch(request)
    },
  }`

interface Generated {
  readonly tables: readonly TableSchema[]
  readonly source: string
  readonly camelCaseSource: string
  readonly columnsSource: string
  readonly camelCaseColumnsSource: string
}

/** A table as it is created, in SQL, and what must be found of it. */
interface Example {
  readonly statement: string
  readonly expected: ExpectedTable
}

interface ExpectedTable extends Pick<
  TableSchema,
  'name' | 'kind' | 'strict' | 'withoutRowid' | 'checks'
> {
  readonly columns: readonly Pick<
    ColumnInfo,
    'name' | 'notNull' | 'primaryKey' | 'defaultValue' | 'generated' | 'autoIncrement'
  >[]
}

const NASTY_CHARACTERS = [
  ...Array.from('aA_z09 $.,;:-+*/\\\'"`[](){}<>|&!?@#%^~='),
  '\n',
  '\t',
  '\u00a0',
  '\u2028',
  '\u202e',
  '\u200d',
  'é',
  'ß',
  'ŉ',
  '日',
  '🙂',
  '\u{10ffff}',
]

const NASTY_NAMES = [
  'select',
  'table',
  'check',
  'class',
  'default',
  'new',
  'string',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'DB',
  'd_b',
  'Generated',
  'generated_always',
  'ColumnType',
  'Uint8Array',
  'Table',
  'Table2',
  '2',
  'user_role',
  'userRole',
  'user__role',
  'user-role',
  '_x',
  'acf_x',
  '--',
  '/*',
  '*/',
  '${a}',
  "'; drop table a; --",
]

const name = fc.oneof(
  fc.constantFrom(...NASTY_NAMES),
  fc
    .array(fc.constantFrom(...NASTY_CHARACTERS), { minLength: 1, maxLength: 6 })
    .map((characters) => characters.join('')),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 4 })
    .filter((text) => !text.includes('\0') && text.isWellFormed()),
)

/** As SQLite compares names. */
function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** In one of the four ways of SQLite. */
const quoted = (text: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    `"${text.replaceAll('"', '""')}"`,
    `\`${text.replaceAll('`', '``')}\``,
    ...(text.includes(']') ? [] : [`[${text}]`]),
    ...(/^x\w*$/.test(text) ? [text] : []),
  )

/** White space and comments that look like SQL. */
const space = fc.constantFrom(' ', '\n', '\t', ' /* check (1), " */ ', " -- ' ( \n", '/**/ ')

const literal = fc.oneof(
  fc.constantFrom("'x'", "'it''s'", "'1'", "''", "'check (1)'", '"dq"', '0', '-1', '1.5', 'true'),
  fc
    .string({ unit: fc.constantFrom(...NASTY_CHARACTERS), maxLength: 5 })
    .map((text) => `'${text.replaceAll("'", "''")}'`),
)

const TYPES = ['', 'integer', 'INT', 'text', 'varchar(20)', 'blob', 'real', 'numeric(10, 2)']
const ODD_TYPES = ['floating point', 'datetime', 'boolean', 'json', 'any', '"check"', '[a b]']
const STRICT_TYPES = ['int', 'INTEGER', 'real', 'text', 'blob', 'any']
const DEFAULTS = ['1', '-1.5', "'x'", "'it''s'", 'null', 'true', 'current_timestamp', "x'00'"]
const EXPRESSIONS = ["(')' || '(')", '(1 + (2))', "(strftime('%s', 'now'))"]

interface Column {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly generated: 'virtual' | 'stored' | null
  readonly defaultValue: string | null
  readonly check: readonly string[] | null
}

const column = (columnName: string, types: readonly string[]): fc.Arbitrary<Column> =>
  fc
    .record({
      type: fc.constantFrom(...types),
      notNull: fc.boolean(),
      generated: fc.option(fc.constantFrom('virtual', 'stored'), { freq: 5 }),
      defaultValue: fc.option(fc.constantFrom(...DEFAULTS, ...EXPRESSIONS)),
      check: fc.option(fc.array(literal, { minLength: 1, maxLength: 3 })),
    })
    .map((column) => ({
      name: columnName,
      ...column,
      defaultValue: column.generated === null ? column.defaultValue : null,
    }))

const names = fc.uniqueArray(name, { minLength: 1, maxLength: 6, selector: fold })

const example = (tableName: string): fc.Arbitrary<Example> =>
  fc
    .record({ columnNames: names, strict: fc.boolean(), withoutRowid: fc.boolean() })
    .chain(({ columnNames, strict, withoutRowid }) => {
      const types = strict ? STRICT_TYPES : [...TYPES, ...ODD_TYPES]
      return fc
        .record({
          quotedName: quoted(tableName),
          columns: fc.tuple(...columnNames.map((name) => column(name, types))),
          quotedColumns: fc.tuple(...columnNames.map(quoted)),
          key: fc.shuffledSubarray(columnNames, { minLength: withoutRowid ? 1 : 0 }),
          space,
        })
        .map((parts) => toExample(tableName, { ...parts, strict, withoutRowid }))
    })

function toExample(
  tableName: string,
  table: {
    readonly quotedName: string
    readonly columns: readonly Column[]
    readonly quotedColumns: readonly string[]
    readonly key: readonly string[]
    readonly space: string
    readonly strict: boolean
    readonly withoutRowid: boolean
  },
): Example {
  const { quotedName, quotedColumns, key, space, strict, withoutRowid } = table
  // A generated column cannot be in the key, and a table must have another one.
  const columns = table.columns.map((column, index) =>
    index === 0 || key.includes(column.name) ? { ...column, generated: null } : column,
  )
  const quotedOf = (name: string): string =>
    quotedColumns[columns.findIndex((column) => column.name === name)] ?? ''
  const checks = columns.map(({ name, check }) =>
    check === null ? undefined : `${quotedOf(name)}${space}in (${check.join(',')})`,
  )
  const definitions = columns.map(({ name, type, notNull, generated, defaultValue }, index) =>
    [
      quotedOf(name),
      // A comment between the two would be part of the type.
      `${type}${generated === null ? '' : ` generated always as (')' || (1)) ${generated}`}`,
      notNull ? 'not null' : '',
      defaultValue === null ? '' : `default ${defaultValue}`,
      checks[index] === undefined ? '' : `constraint c${index} check${space}(${checks[index]} )`,
    ].join(space),
  )
  const constraints = key.length === 0 ? [] : [`primary key (${key.map(quotedOf).join(', ')})`]
  const options = [strict ? ['strict'] : [], withoutRowid ? ['without rowid'] : []].flat()
  const isAlias = (name: string, type: string): boolean =>
    !withoutRowid && key.length === 1 && key[0] === name && type.toLowerCase() === 'integer'
  return {
    statement: `create table ${quotedName}${space}(${[...definitions, ...constraints].join(`,${space}`)}) ${options.join(', ')}`,
    expected: {
      name: tableName,
      kind: 'table',
      strict,
      withoutRowid,
      checks: checks.filter((check) => check !== undefined),
      columns: columns.map(({ name, type, notNull, generated, defaultValue }) => {
        const autoIncrement = isAlias(name, type)
        const primaryKey = key.indexOf(name) + 1
        return {
          name,
          notNull: notNull || autoIncrement || (primaryKey > 0 && (strict || withoutRowid)),
          primaryKey,
          // SQLite leaves out the parentheses of an expression.
          defaultValue: defaultValue?.replace(/^\((.*)\)$/, '$1') ?? null,
          generated,
          autoIncrement,
        }
      }),
    },
  }
}

/** A view of the table, with the same columns, of which SQLite knows no more than the names. */
const viewOf = (table: Example, viewName: string): fc.Arbitrary<Example> =>
  fc.tuple(quoted(viewName), quoted(table.expected.name)).map(([view, source]) => ({
    statement: `create view ${view} as select * from ${source}`,
    expected: {
      name: viewName,
      kind: 'view',
      strict: false,
      withoutRowid: false,
      checks: [],
      columns: table.expected.columns.map(({ name }, index) => ({
        // SQLite numbers such a column of a view.
        name: name === 'true' ? `column${index + 1}` : name,
        notNull: false,
        primaryKey: 0,
        defaultValue: null,
        generated: null,
        autoIncrement: false,
      })),
    },
  }))

/** Tables, and views of the first of them. */
const schema = names.chain(([first = '', ...others]) =>
  fc
    .tuple(example(first), fc.nat(others.length))
    .chain(([table, views]) =>
      fc.tuple(
        fc.constant(table),
        ...others.map((name, index) => (index < views ? viewOf(table, name) : example(name))),
      ),
    ),
)

function facts(table: TableSchema): ExpectedTable {
  const { name, kind, strict, withoutRowid, checks, columns } = table
  return {
    name,
    kind,
    strict,
    withoutRowid,
    checks,
    columns: columns.map(
      ({ name, notNull, primaryKey, defaultValue, generated, autoIncrement }) => ({
        name,
        notNull,
        primaryKey,
        defaultValue,
        generated,
        autoIncrement,
      }),
    ),
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

/** A module that compiles if the generated interface has these tables and columns, and no others. */
function assertNames(module: string, tables: readonly ExpectedTable[]): string {
  const union = (items: readonly { readonly name: string }[]): string =>
    items.map(({ name }) => JSON.stringify(name)).join(' | ')
  const columns = tables.map(
    (table) =>
      `true satisfies Same<keyof DB[${JSON.stringify(table.name)}], ${union(table.columns)}>`,
  )
  return [
    `import type { DB } from './${module}.js'`,
    'type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false',
    `true satisfies Same<keyof DB, ${union(tables)}>`,
    ...columns,
  ].join('\n')
}

let miniflare: Miniflare
let directory: string

beforeAll(async () => {
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: await bundleWorker(WORKER),
      compatibilityDate: '2026-04-06',
      durableObjects: { SCHEMA: { className: 'Schema', useSQLite: true } },
    }),
  )
  // Inside the repository, where kysely is found.
  directory = mkdtempSync(join(root, 'node_modules/.codegen-'))
})

afterAll(async () => {
  await miniflare.dispose()
  rmSync(directory, { recursive: true })
})

async function createAndGenerate(statements: readonly string[]): Promise<Generated> {
  const response = await miniflare.dispatchFetch('http://worker/', {
    method: 'POST',
    body: JSON.stringify(statements),
  })
  const text = await response.text()
  expect({ status: response.status, text }).toEqual({ status: 200, text })
  return JSON.parse(text) as Generated
}

/** What the compiler says of all the modules that were written, under `strict`. */
function compile(): string {
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        target: 'es2022',
        module: 'nodenext',
        noUnusedLocals: true,
        skipLibCheck: true,
        types: [],
      },
    }),
  )
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }))
  const tsc = join(root, 'node_modules/.bin/tsc')
  return spawnSync(tsc, ['-p', directory], { encoding: 'utf8' }).stdout
}

describe('any schema', () => {
  it(
    'should be found as it was created, and give text that compiles with names that are its own',
    { timeout: 300_000 },
    async () => {
      let modules = 0
      await fc.assert(
        fc.asyncProperty(schema, async (examples) => {
          const { tables, ...sources } = await createAndGenerate(
            examples.map(({ statement }) => statement),
          )
          const expected = examples.map(({ expected }) => expected).toSorted(byName)
          expect(tables.map(facts).toSorted(byName)).toEqual(expected)
          for (const text of Object.values(sources)) {
            const typeNames = text.match(/^export interface .* \{/gm)
            expect(new Set(typeNames).size).toBe(expected.length + 1)
          }
          const module = `schema-${modules++}`
          for (const [name, text] of Object.entries(sources)) {
            writeFileSync(join(directory, `${module}-${name}.ts`), text)
          }
          writeFileSync(
            join(directory, `${module}-names.ts`),
            assertNames(`${module}-source`, expected),
          )
        }),
        { numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 150) },
      )
      expect(compile()).toBe('')
    },
  )
})
