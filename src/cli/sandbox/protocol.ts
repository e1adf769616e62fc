import type { TableSchema } from '../../schema/introspect-schema.js'

/** What the program asks of the Worker that runs the migrations. */
export type SandboxRequest =
  | { readonly command: 'list' }
  | {
      readonly command: 'migrate'
      readonly object: string
      /** The last migration to be applied; null for none. */
      readonly to: string | null
    }
  | { readonly command: 'snapshot'; readonly object: string }
  | {
      readonly command: 'execute'
      readonly object: string
      readonly statements: readonly string[]
    }

/** What it answers: the result, or what failed. */
export type SandboxResponse<T> = { readonly result: T } | { readonly failure: SandboxFailure }

/** A migration, and the SQL texts of it that are no functions. */
export interface ListedMigration {
  readonly name: string
  readonly up: string | undefined
  readonly down: string | undefined
  readonly hasDown: boolean
}

export interface SandboxFailure {
  readonly message: string
  readonly code: string | undefined
  /** The stacks of the error and of its causes. */
  readonly stacks: readonly string[]
  /** The statement that SQLite refused. */
  readonly sql: string | undefined
  /** How often the same text had run before in the same migration. */
  readonly repetition: number
}

/** A database as SQLite sees it. */
export interface Snapshot {
  readonly tables: readonly TableSchema[]
  /** The SQL of views and triggers, by type and name. */
  readonly definitions: Readonly<Record<string, string>>
  /** By table. */
  readonly rowCounts: Readonly<Record<string, number>>
  readonly foreignKeyProblems: readonly ForeignKeyProblem[]
}

export interface ForeignKeyProblem {
  readonly table: string
  readonly referencedTable: string
  readonly kind: 'missing table' | 'mismatch' | 'violation'
}
