import { toNamedMigrations } from '../migration/migration.js'
import { withChecksums } from '../migration/checksum.js'
import { migrationsFromFiles } from '../migration/migrations-from-files.js'
import { sandboxOptions } from './migrated-schema.js'
import { type MigrationSource, readMigrationSource } from './migrations/migration-files.js'
import { Project } from './project.js'
import { Sandbox } from './sandbox/sandbox.js'
import type { Settings } from './settings.js'
import type { StoredEntry } from './state/database-file.js'
import { type LocalObject, readLocalObjects, stateDirectory } from './state/local-state.js'
import { oneLine, styled, withSpinner, writeJson, writeOut } from './terminal.js'

/** A migration as an object has it. */
interface MigrationStatus {
  readonly name: string
  readonly state: 'applied' | 'pending' | 'edited' | 'missing' | 'unordered'
  /** ISO 8601, in UTC; null while it is not applied. */
  readonly executedAt: string | null
}

/** What `--json` has of each object. */
interface ObjectStatus {
  readonly workerAndClass: string
  readonly class: string
  readonly id: string
  readonly name: string | null
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly tables: number
  readonly migrations: readonly MigrationStatus[]
  /** Why the database cannot be read. */
  readonly error: string | null
}

/** A migration of the project; its checksum is null for a function. */
interface GivenMigration {
  readonly name: string
  readonly checksum: string | null
}

const WRONG: ReadonlySet<MigrationStatus['state']> = new Set(['edited', 'missing', 'unordered'])

/** Does `kysely-durable-sqlite status`, and returns the exit code. */
export async function status(
  settings: Settings,
  { json = false }: { readonly json?: boolean } = {},
): Promise<number> {
  const { database = '.', class: className, object, migrations } = settings
  const source = migrations === undefined ? undefined : readMigrationSource(migrations)
  const objects = await readLocalObjects(stateDirectory(database), { className, object })
  const given = source === undefined ? undefined : await givenMigrations(source, settings)
  const statuses = objects.map((it) => statusOf(it, given))
  if (json) {
    writeJson(statuses)
  } else {
    writeOut(statuses.map((it) => describe(it, given !== undefined)).join(''))
  }
  const isWrong = statuses.some(
    ({ error, migrations }) => error !== null || migrations.some(({ state }) => WRONG.has(state)),
  )
  return isWrong ? 1 : 0
}

/** SQL texts are read as they are; modules are loaded in workerd. */
async function givenMigrations(
  source: MigrationSource,
  settings: Settings,
): Promise<readonly GivenMigration[]> {
  if (source.index === undefined && source.modules.length === 0) {
    return withChecksums(toNamedMigrations(migrationsFromFiles(Object.fromEntries(source.texts))))
  }
  return withSpinner('Loading the migrations', async () => {
    const project = new Project()
    const options = await sandboxOptions(project, settings)
    await using sandbox = await Sandbox.start(project, source, options)
    const listed = await sandbox.list()
    const texts = listed.map(({ name, up }) => ({ name, migration: { up: up ?? noText } }))
    return withChecksums(texts)
  })
}

/** Stands for a function, which has no checksum. */
async function noText(): Promise<void> {}

function statusOf(object: LocalObject, given: readonly GivenMigration[] | undefined): ObjectStatus {
  const { workerAndClass, className, objectId, path, size, content, error } = object
  return {
    workerAndClass,
    class: className,
    id: objectId,
    name: content?.objectName ?? null,
    path,
    size,
    tables: content?.tables.filter(({ name }) => !name.startsWith('kysely_migration')).length ?? 0,
    migrations: content === undefined ? [] : migrationStatuses(content.journal ?? [], given),
    error: error ?? null,
  }
}

function migrationStatuses(
  journal: readonly StoredEntry[],
  given: readonly GivenMigration[] | undefined,
): MigrationStatus[] {
  const entries = new Map(journal.map((entry) => [entry.name, entry]))
  const byName = new Map((given ?? []).map((migration) => [migration.name, migration]))
  const names = [...new Set([...entries.keys(), ...byName.keys()])].toSorted()
  const last = names.findLast((name) => entries.has(name) && byName.has(name)) ?? ''
  return names.map((name) => {
    const entry = entries.get(name)
    const migration = byName.get(name)
    if (entry === undefined) {
      return { name, state: name < last ? 'unordered' : 'pending', executedAt: null }
    }
    const executedAt = entry.timestamp
    if (given !== undefined && migration === undefined) {
      return { name, state: 'missing', executedAt }
    }
    // What has no checksum was applied by a function, or by Kysely's Migrator.
    const isEdited =
      migration !== undefined && entry.checksum !== null && entry.checksum !== migration.checksum
    return { name, state: isEdited ? 'edited' : 'applied', executedAt }
  })
}

const HELP: Readonly<Record<MigrationStatus['state'], string>> = {
  applied: '',
  pending: 'runs when the object wakes',
  edited: 'put its text back as it was applied, and write the change into a new migration',
  missing: 'it was applied: put it back under its name',
  unordered: 'it sorts before one that was applied: give it a name that sorts last',
}

function describe(
  { workerAndClass, id, name, size, tables, migrations, error }: ObjectStatus,
  knowsMigrations: boolean,
): string {
  const title = [
    styled('bold', oneLine(workerAndClass)),
    id,
    ...(name === null ? [] : [oneLine(JSON.stringify(name))]),
  ].join('  ')
  if (error !== null) {
    return `${title}\n  ${styled('red', oneLine(error))}\n`
  }
  const counts = Map.groupBy(migrations, ({ state }) => state)
  const summary = [...counts].map(([state, { length }]) => `${length} ${state}`).join(', ')
  const none = knowsMigrations ? 'no migrations' : 'no journal of migrations'
  const lines = migrations
    .filter(({ state }) => state !== 'applied')
    .map(({ name: migration, state }) => {
      const marked = styled(WRONG.has(state) ? 'red' : 'yellow', state)
      return `  ${marked}  ${oneLine(migration)}  ${HELP[state]}\n`
    })
  return `${title}\n  ${kilobytes(size)}, ${tables} tables, ${summary || none}\n${lines.join('')}`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
