import { statSync } from 'node:fs'
import { checkClasses, readWranglerConfig } from './check/check-classes.js'
import { checkDrizzle } from './check/check-drizzle.js'
import { checkMigrations } from './check/check-migrations.js'
import { checkDrizzleJournal, checkIndex, checkNames } from './check/check-names.js'
import { type Finding, FindingsError, writeFindings } from './finding.js'
import { isUpToDate } from './generate.js'
import { generateText } from './generate-text.js'
import { type MigrationSource, readMigrationSource } from './migrations/migration-files.js'
import { MigrationPlaces } from './migrations/migration-places.js'
import { Project } from './project.js'
import { Sandbox, type SandboxOptions } from './sandbox/sandbox.js'
import type { Settings } from './settings.js'
import { note, styled, withSpinner } from './terminal.js'
import { UsageError } from './usage-error.js'

/** Does `kysely-durable-sqlite check`, and returns the exit code. */
export async function check(
  settings: Settings,
  { json = false }: { readonly json?: boolean } = {},
): Promise<number> {
  const findings = await withSpinner('Checking', (say) => findAll(settings, say))
  writeFindings(findings, json)
  if (findings.length === 0) {
    note(styled('green', 'No findings.', process.stderr))
  }
  return findings.length === 0 ? 0 : 1
}

async function findAll(
  settings: Settings,
  say: (text: string) => void,
): Promise<readonly Finding[]> {
  const { migrations, drizzle } = settings
  if (migrations === undefined) {
    throw new UsageError(
      'Say where the migrations are: --migrations <directory or module>, or "migrations" in kysely-durable-sqlite.jsonc.',
    )
  }
  const source = readMigrationSource(migrations)
  if (drizzle !== undefined && !statSync(drizzle, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`There is no Drizzle schema ${drizzle}.`)
  }
  const project = new Project()
  const wrangler = await readWranglerConfig(project, settings)
  if (wrangler.path === undefined) {
    note('There is no Wrangler configuration, so that the classes were not checked.')
    return findInMigrations(project, source, { settings, say })
  }
  const classes = await checkClasses(project, wrangler, settings.class)
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } =
    wrangler.config
  const options = { compatibilityDate, compatibilityFlags }
  return [...classes, ...(await findInMigrations(project, source, { settings, say, options }))]
}

interface Asked {
  readonly settings: Settings
  readonly say: (text: string) => void
  readonly options?: SandboxOptions
}

async function findInMigrations(
  project: Project,
  source: MigrationSource,
  { settings, say, options = {} }: Asked,
): Promise<readonly Finding[]> {
  const { drizzle, out } = settings
  try {
    await using sandbox = await Sandbox.start(project, source, options)
    const listed = await sandbox.list()
    const places = new MigrationPlaces(source, sandbox.sources)
    const names = listed.map(({ name }) => name)
    const { findings, schema } = await checkMigrations(sandbox, listed, places, say)
    const all = [
      ...checkNames(names, places),
      ...checkIndex(source, sandbox.sources),
      ...checkDrizzleJournal(source.path, names),
      ...findings,
    ]
    if (schema === undefined) {
      return all
    }
    if (out !== undefined && !isUpToDate(out, generateText(schema.tables, settings))) {
      all.push({ file: out, line: 1, message: OUT_OF_DATE })
    }
    if (drizzle !== undefined) {
      say('Drizzle schema')
      all.push(...(await checkDrizzle(project, sandbox, { path: drizzle, schema, settings })))
    }
    return all
  } catch (error) {
    if (error instanceof FindingsError) {
      return error.findings
    }
    throw error
  }
}

const OUT_OF_DATE =
  'The generated types are not what the migrations make. Run kysely-durable-sqlite generate.'
