/**
 * The Worker in which the program runs migrations: bundled with the user's own migrations and Kysely,
 * and run in the workerd of the user's wrangler.
 *
 * @module
 */
import {
  migrateTo,
  type Migrations,
  migrationsFromFiles,
  type MigrationFile,
  type MigrationStorage,
  NO_MIGRATIONS,
} from '../../migration/index.js'
import { toNamedMigrations } from '../../migration/migration.js'
import { introspectSchema, type TableSchema } from '../../schema/introspect-schema.js'
import { foldName } from '../../schema/sql-tokens.js'
import { KYSELY_TABLES } from '../../schema/user-tables.js'
import type {
  ForeignKeyProblem,
  ListedMigration,
  SandboxFailure,
  SandboxRequest,
  Snapshot,
} from './protocol.js'
import { StatementRecorder } from './statement-recorder.js'

export { migrationsFromFiles, type MigrationFile }

interface SandboxEnv {
  readonly SANDBOX: {
    idFromName(name: string): unknown
    get(id: unknown): { fetch(request: Request): Promise<Response> }
  }
  /** The SQL texts in a directory, by path. */
  readonly TEXTS: Readonly<Record<string, string>>
}

/** Loads the modules of the user, and returns their migrations. */
export type LoadMigrations = (texts: Readonly<Record<string, string>>) => Promise<Migrations>

// V8's own: https://v8.dev/docs/stack-trace-api
;(Error as { stackTraceLimit?: number }).stackTraceLimit = 100

/** The migrations that a module exports, as `migrations` or by default. */
export function migrationsOf(module: Readonly<Record<string, unknown>>, path: string): Migrations {
  const found = module['migrations'] ?? module['default']
  if (typeof found !== 'object' || found === null) {
    throw new Error(
      `${path} exports no migrations. Write: export const migrations: Migrations = { … }`,
    )
  }
  return found as Migrations
}

/** The handler and the Durable Object of the Worker. */
export function createSandbox(load: LoadMigrations): {
  readonly handler: { fetch(request: Request, env: SandboxEnv): Promise<Response> }
  readonly Sandbox: new (ctx: SandboxContext, env: SandboxEnv) => object
} {
  return {
    handler: {
      async fetch(request, { SANDBOX }) {
        const body = await request.text()
        const asked = JSON.parse(body) as SandboxRequest
        const name = 'object' in asked ? asked.object : 'list'
        return SANDBOX.get(SANDBOX.idFromName(name)).fetch(
          new Request('http://sandbox', { method: 'POST', body }),
        )
      },
    },
    Sandbox: class {
      readonly #ctx: SandboxContext
      readonly #env: SandboxEnv

      constructor(ctx: SandboxContext, env: SandboxEnv) {
        this.#ctx = ctx
        this.#env = env
      }

      async fetch(request: Request): Promise<Response> {
        const asked = (await request.json()) as SandboxRequest
        const recorder = new StatementRecorder(this.#ctx.storage)
        try {
          const result = await answer(asked, recorder, () => load(this.#env.TEXTS))
          return Response.json({ result })
        } catch (error) {
          return Response.json({ failure: describeFailure(error, recorder) })
        }
      }
    },
  }
}

interface SandboxContext {
  readonly storage: MigrationStorage
}

async function answer(
  asked: SandboxRequest,
  storage: StatementRecorder,
  load: () => Promise<Migrations>,
): Promise<unknown> {
  switch (asked.command) {
    case 'list':
      return toNamedMigrations(await load()).map(
        ({ name, migration: { up, down } }): ListedMigration => ({
          name,
          up: typeof up === 'string' ? up : undefined,
          down: typeof down === 'string' ? down : undefined,
          hasDown: down !== undefined,
        }),
      )
    case 'migrate':
      return migrateTo(storage, await load(), asked.to ?? NO_MIGRATIONS)
    case 'snapshot':
      return snapshot(storage)
    case 'execute':
      for (const statement of asked.statements) {
        storage.sql.exec(statement)
      }
      return null
  }
}

function describeFailure(error: unknown, recorder: StatementRecorder): SandboxFailure {
  const errors: unknown[] = []
  for (let at: unknown = error; at !== undefined && errors.length < 10; at = causeOf(at)) {
    errors.push(at)
  }
  return {
    message: messageOf(error),
    code: errors.map(codeOf).find((code) => code !== undefined),
    stacks: errors.map((it) => (it instanceof Error ? (it.stack ?? '') : '')),
    ...recorder.statementOf(errors),
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function snapshot(storage: MigrationStorage): Snapshot {
  const tables = introspectSchema(storage.sql).filter(({ name }) => !KYSELY_TABLES.has(name))
  const definitions = read(
    storage,
    `select type || ' ' || name, sql from sqlite_master
    where type in ('view', 'trigger') and tbl_name not like 'kysely#_migration%' escape '#'`,
  )
  const counts = tables
    .filter(({ kind }) => kind === 'table')
    .map(({ name }) => [name, read(storage, `select count(*) from ${quoted(name)}`)[0]![0]])
  return {
    tables,
    definitions: Object.fromEntries(definitions),
    rowCounts: Object.fromEntries(counts),
    foreignKeyProblems: foreignKeyProblems(storage, tables),
  }
}

/** What SQLite finds, and tables that are not there: it says nothing of those while there are no rows. */
function foreignKeyProblems(
  storage: MigrationStorage,
  tables: readonly TableSchema[],
): ForeignKeyProblem[] {
  const present = new Set(tables.map(({ name }) => foldName(name)))
  return tables.flatMap(({ name: table, foreignKeys }) => {
    const parents = [...new Set(foreignKeys.map(({ referencedTable }) => referencedTable))]
    const missing = parents.filter((parent) => !present.has(foldName(parent)))
    if (missing.length > 0) {
      return missing.map((referencedTable) => ({ table, referencedTable, kind: 'missing table' as const }))
    }
    return parents.length === 0 ? [] : checkedBySqlite(storage, table, parents)
  })
}

function checkedBySqlite(
  storage: MigrationStorage,
  table: string,
  parents: readonly string[],
): ForeignKeyProblem[] {
  try {
    const rows = read(
      storage,
      'select distinct parent, 0 from pragma_foreign_key_check(?)',
      table,
    )
    return rows.map(([referencedTable]) => ({ table, referencedTable, kind: 'violation' }))
  } catch (error) {
    // foreign key mismatch - "child" referencing "parent"
    const message = messageOf(error)
    const named = parents.find((parent) => message.includes(`referencing "${parent}"`))
    return [{ table, referencedTable: named ?? parents[0]!, kind: 'mismatch' }]
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function read(storage: MigrationStorage, query: string, ...bindings: string[]): [string, string][] {
  return [...storage.sql.exec(query, ...bindings).raw()] as [string, string][]
}
