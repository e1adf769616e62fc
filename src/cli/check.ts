import { statSync } from 'node:fs'
import { checkClasses, readWranglerConfig } from './check/check-classes.js'
import { checkDrizzle } from './check/check-drizzle.js'
import { checkMigrations } from './check/check-migrations.js'
import { checkNames } from './check/check-names.js'
import { type Finding, FindingsError, writeFindings } from './finding.js'
import { isUpToDate } from './generate.js'
import { generateText } from './generate-text.js'
import { readMigrationSource } from './migrations/migration-files.js'
import { MigrationPlaces } from './migrations/migration-places.js'
import { Project } from './project.js'
import { Sandbox } from './sandbox/sandbox.js'
import type { Settings } from './settings.js'
import { note, styled, withSpinner } from './terminal.js'
import { UsageError } from './usage-error.js'

/** Does `kysely-durable-sqlite check`, and returns the exit code. */
export async function check(
  settings: Settings,
  { json = false }: { readonly json?: boolean } = {},
): Promise<number> {
  const findings = await withSpinner('Checking', async (say) => {
    try {
      return await findAll(settings, say)
    } catch (error) {
      if (error instanceof FindingsError) {
        return error.findings
      }
      throw error
    }
  })
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
  const { migrations, drizzle, out } = settings
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
  const classes =
    wrangler.path === undefined ? [] : await checkClasses(project, wrangler, settings.class)
  if (wrangler.path === undefined) {
    note('There is no wrangler configuration, so that the classes were not checked.')
  }
  await using sandbox = await Sandbox.start(project, source, {
    ...(wrangler.path !== undefined && {
      compatibilityDate: wrangler.config.compatibility_date,
      compatibilityFlags: wrangler.config.compatibility_flags,
    }),
  }).catch((error: unknown) => {
    throw error instanceof FindingsError
      ? new FindingsError([...classes, ...error.findings])
      : error
  })
  const listed = await sandbox.list()
  const places = new MigrationPlaces(source, sandbox.sources)
  const names = checkNames(
    listed.map(({ name }) => name),
    places,
  )
  const { findings, schema } = await checkMigrations(sandbox, listed, places, say)
  const all = [...classes, ...names, ...findings]
  if (schema === undefined) {
    return all
  }
  if (out !== undefined && !isUpToDate(out, generateText(schema.tables, settings))) {
    all.push({
      file: out,
      line: 1,
      message: 'The generated types are not what the migrations make. Run kysely-durable-sqlite generate.',
    })
  }
  if (drizzle !== undefined) {
    say('Drizzle schema')
    all.push(...(await checkDrizzle(project, sandbox, { path: drizzle, schema, settings })))
  }
  return all
}
