import type { Finding } from '../finding.js'
import type { MigrationPlaces } from '../migrations/migration-places.js'
import type {
  ForeignKeyProblem,
  ListedMigration,
  SandboxFailure,
  Snapshot,
} from '../sandbox/protocol.js'
import type { Sandbox } from '../sandbox/sandbox.js'
import { oneLine } from '../terminal.js'
import { schemaDifferences } from './schema-differences.js'

/** The object on which the migrations run one after the other. */
export const MIGRATED = 'migrated'

export interface MigrationsReport {
  readonly findings: readonly Finding[]
  /** What all migrations make; undefined if one of them failed. */
  readonly schema: Snapshot | undefined
}

interface Applied {
  readonly migration: ListedMigration
  readonly previous: string | null
  readonly before: Snapshot
  readonly after: Snapshot
}

/** Runs every migration on an empty object, and undoes and redoes each on another. */
export async function checkMigrations(
  sandbox: Sandbox,
  migrations: readonly ListedMigration[],
  places: MigrationPlaces,
  say: (text: string) => void = () => {},
): Promise<MigrationsReport> {
  const applied: Applied[] = []
  let previous: string | null = null
  let before = await sandbox.snapshot(MIGRATED)
  for (const [index, migration] of migrations.entries()) {
    const { name } = migration
    say(`${name} (${index + 1} of ${migrations.length})`)
    const failure = await sandbox.migrate(MIGRATED, name)
    if (failure !== undefined) {
      const rest = migrations.length - index - 1
      const others = rest === 0 ? '' : ` The ${rest} after it did not run.`
      const message = `${describeFailure(name, failure)}${others}`
      return { findings: [{ ...places.ofFailure(name, failure), message }], schema: undefined }
    }
    const after = await sandbox.snapshot(MIGRATED)
    applied.push({ migration, previous, before, after })
    previous = name
    before = after
  }
  return {
    findings: [
      ...foreignKeyFindings(applied, before, places),
      ...(await checkDowns(sandbox, applied, places, say)),
    ],
    schema: before,
  }
}

/** What does not hold once all are applied, at the migration that brought it. */
function foreignKeyFindings(
  applied: readonly Applied[],
  last: Snapshot,
  places: MigrationPlaces,
): Finding[] {
  return last.foreignKeyProblems.map((problem) => {
    const { migration } =
      applied.find(({ after }) => after.foreignKeyProblems.some((it) => isSame(it, problem))) ??
      applied.at(-1)!
    const parent = problem.referencedTable.replaceAll(/[^\w]/g, '.')
    const pattern = new RegExp(String.raw`references\s+.?${parent}\b`, 'i')
    return {
      ...places.ofText(migration.name, pattern),
      message: `Migration ${migration.name}: ${describeProblem(problem)}`,
    }
  })
}

function isSame(a: ForeignKeyProblem, b: ForeignKeyProblem): boolean {
  return a.table === b.table && a.referencedTable === b.referencedTable && a.kind === b.kind
}

function describeProblem({ table, referencedTable, kind }: ForeignKeyProblem): string {
  switch (kind) {
    case 'missing table':
      return (
        `table ${table} has a foreign key to ${referencedTable}, which no migration makes, so that ` +
        'every insert fails. Make the table, or drop the foreign key.'
      )
    case 'mismatch':
      return (
        `table ${table} has a foreign key to ${referencedTable} on columns that are not a primary key and ` +
        'have no unique index there, so that every insert fails. Add the index.'
      )
    case 'violation':
      return (
        `table ${table} has rows that refer to rows of ${referencedTable} that are not there. ` +
        'Fix the rows that the migrations insert.'
      )
  }
}

/** On an object of its own: up, down, compared with what was before, and up again. */
async function checkDowns(
  sandbox: Sandbox,
  applied: readonly Applied[],
  places: MigrationPlaces,
  say: (text: string) => void,
): Promise<Finding[]> {
  const findings: Finding[] = []
  if (!applied.some(({ migration }) => migration.hasDown)) {
    return findings
  }
  let object = 'undone'
  for (const { migration, previous, before, after } of applied) {
    const { name, hasDown } = migration
    say(`${name}, down`)
    const report = (message: string, failure?: SandboxFailure): void => {
      const place =
        failure === undefined
          ? places.ofText(name, /(?<![\w$])down(?![\w$])/)
          : places.ofFailure(name, failure)
      findings.push({ ...place, message })
    }
    await sandbox.migrate(object, name)
    if (!hasDown) {
      continue
    }
    const down = await sandbox.migrate(object, previous)
    if (down !== undefined) {
      report(describeFailure(name, down), down)
      continue
    }
    const left = schemaDifferences(before, await sandbox.snapshot(object))
    if (left.length > 0) {
      report(`Migration ${name}: its down leaves another schema than before: ${left.join(', ')}.`)
    }
    const again = await sandbox.migrate(object, name)
    const other =
      again === undefined ? schemaDifferences(after, await sandbox.snapshot(object)) : []
    if (again !== undefined && left.length === 0) {
      report(`After its down: ${describeFailure(name, again)}`, again)
    } else if (other.length > 0 && left.length === 0) {
      report(`Migration ${name}: up after down makes another schema: ${other.join(', ')}.`)
    }
    if (left.length + other.length > 0 || again !== undefined) {
      // What follows is judged from where it would be.
      object = `undone before ${name}`
      await sandbox.migrate(object, name)
    }
  }
  return findings
}

function describeFailure(name: string, { message, hint }: SandboxFailure): string {
  const named = message.includes(name) ? message : `Migration ${name}: ${message}`
  // Our own errors say what to do.
  const cure = hint ?? (/ failed and was undone: | did not end /.test(message) ? 'Fix it.' : '')
  return `${sentence(named)} ${cure}`.trim()
}

function sentence(message: string): string {
  const text = oneLine(message)
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
