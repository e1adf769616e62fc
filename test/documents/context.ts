/**
 * What the code blocks of the documents may use without declaring it, in a Durable Object of their
 * own. `test/node/documents.test.ts` compiles and runs them; CONTRIBUTING.md has the convention.
 *
 * @module
 */
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

declare global {
  interface ImportMeta {
    /** Of Vite. */
    glob<T>(pattern: string, options: object): Record<string, T>
  }
}

export interface Database {
  person: PersonTable
  account: AccountTable
}

export interface PersonTable {
  id: Generated<number>
  name: string
  email: string | null
}

export interface AccountTable {
  id: Generated<number>
  owner_id: number
  balance: number
}

export interface Context {
  readonly ctx: DurableObjectState
  readonly db: Kysely<Database>
  /** Every binding is the namespace of an empty Durable Object. */
  readonly env: Record<string, DurableObjectNamespace>
  /** Throws unless the two are the same to the last bit. */
  readonly equal: <T>(actual: T, expected: NoInfer<T>) => void
  /** Throws unless the promise rejects with an error of this code, or with this message. */
  readonly rejects: (promise: Promise<unknown>, codeOrMessage: string) => Promise<void>
}

/** What the hidden code after a block that exports a Durable Object may use. */
export interface ModuleContext extends Pick<Context, 'equal' | 'rejects'> {
  /** A new object of the class that the block exports, on which `$rows(query)` runs SQL. */
  // oxlint-disable-next-line typescript/no-explicit-any -- its methods are those of the block's class
  readonly stub: any
  /** Another one. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly another: any
  /** Sends a request to the Worker that the block exports by default. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
}

/** Two people, Ada and Grace, with an account of 100 each. */
export async function createContext(
  ctx: DurableObjectState,
  env: Record<string, DurableObjectNamespace>,
): Promise<Context> {
  const db = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(ctx.storage) })
  await db.schema
    .createTable('person')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.unique())
    .execute()
  await db.schema
    .createTable('account')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('owner_id', 'integer', (column) => column.notNull().references('person.id'))
    .addColumn('balance', 'integer', (column) => column.notNull())
    .execute()
  await db
    .insertInto('person')
    .values([
      { name: 'Ada', email: 'ada@example.com' },
      { name: 'Grace', email: 'grace@example.com' },
    ])
    .execute()
  await db
    .insertInto('account')
    .values([
      { owner_id: 1, balance: 100 },
      { owner_id: 2, balance: 100 },
    ])
    .execute()
  return { ctx, db, env, equal, rejects }
}

export function equal(actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) {
    throw new Error(`Got ${show(actual)}, not ${show(expected)}.`)
  }
}

export async function rejects(promise: Promise<unknown>, codeOrMessage: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code !== codeOrMessage && message !== codeOrMessage) {
    throw new Error(`Got ${show({ code, message })}, not ${codeOrMessage}.`, { cause: error })
  }
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    switch (true) {
      case typeof part === 'bigint':
        return `${part}n`
      case part === undefined:
        return 'undefined'
      case part instanceof Uint8Array:
        return `Uint8Array ${part.join(' ')}`
      default:
        return part
    }
  })
}
