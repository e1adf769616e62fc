import type { TableSchema } from '../schema/introspect-schema.js'
import { readWranglerConfig } from './check/check-classes.js'
import { FindingsError } from './finding.js'
import { readMigrationSource } from './migrations/migration-files.js'
import { MigrationPlaces } from './migrations/migration-places.js'
import { Project } from './project.js'
import { Sandbox, type SandboxOptions } from './sandbox/sandbox.js'
import type { Settings } from './settings.js'
import { withSpinner } from './terminal.js'
import { UsageError } from './usage-error.js'

/** What the migrations make of an empty object. Throws `FindingsError` if one of them fails. */
export async function migratedSchema(
  settings: Settings,
  migrations: string,
): Promise<readonly TableSchema[]> {
  const source = readMigrationSource(migrations)
  const project = new Project()
  return withSpinner('Migrating an empty object', async () => {
    const options = await sandboxOptions(project, settings)
    await using sandbox = await Sandbox.start(project, source, options)
    const listed = await sandbox.list()
    const last = listed.at(-1)
    if (last === undefined) {
      throw new UsageError(`There are no migrations in ${migrations}.`)
    }
    const failure = await sandbox.migrate('migrated', last.name)
    if (failure !== undefined) {
      const { name } =
        listed.find((it) => failure.message.includes(`igration ${it.name} (up) `)) ?? last
      const places = new MigrationPlaces(source, sandbox.sources)
      throw new FindingsError([{ ...places.ofFailure(name, failure), message: failure.message }])
    }
    return (await sandbox.snapshot('migrated')).tables
  })
}

/** The compatibility date and flags of the Worker, where it has a configuration. */
export async function sandboxOptions(
  project: Project,
  settings: Pick<Settings, 'wrangler' | 'env'>,
): Promise<SandboxOptions> {
  const { config, path } = await readWranglerConfig(project, settings)
  return path === undefined
    ? {}
    : {
        compatibilityDate: config.compatibility_date,
        compatibilityFlags: config.compatibility_flags,
      }
}
