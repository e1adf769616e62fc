import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Unstable_Config } from 'wrangler'
import type { Finding } from '../finding.js'
import type { Project } from '../project.js'
import { messageOf, UsageError } from '../usage-error.js'

/** The Wrangler configuration, read by the user's wrangler. */
export interface WranglerConfig {
  readonly config: Unstable_Config
  /** Relative to the working directory; undefined if there is none. */
  readonly path: string | undefined
}

export async function readWranglerConfig(
  project: Project,
  {
    wrangler: given,
    env,
  }: { readonly wrangler?: string | undefined; readonly env?: string | undefined },
): Promise<WranglerConfig> {
  const { unstable_readConfig: readConfig } = await project.wrangler()
  if (typeof readConfig !== 'function') {
    throw new UsageError(
      'wrangler is too old to read its configuration for others. Update it to 4.',
    )
  }
  try {
    const config = readConfig({ config: given, env }, { hideWarnings: true })
    const path = config.configPath
    return { config, path: path === undefined ? undefined : relative(project.directory, path) }
  } catch (error) {
    throw new UsageError(`The Wrangler configuration cannot be read: ${messageOf(error)}`)
  }
}

/** The classes of the Worker that are bound and not SQLite-backed. */
export async function checkClasses(
  project: Project,
  { config, path = 'wrangler.jsonc' }: WranglerConfig,
  className: string | undefined,
): Promise<Finding[]> {
  const { unstable_getDurableObjectClassNameToUseSQLiteMap: sqliteOf } = await project.wrangler()
  const bound = config.durable_objects.bindings
    .filter(({ script_name }) => script_name === undefined || script_name === config.name)
    .map(({ class_name }) => class_name)
  const asked = className?.slice(className.lastIndexOf('-') + 1)
  const classes = [...new Set(asked === undefined ? bound : [asked])]
  const text = readFileSync(path, 'utf8')
  let known: ReadonlyMap<string, boolean | undefined>
  try {
    // Configurations without migrations declare the classes in `exports`, which only newer versions know.
    known = sqliteOf?.(config.migrations, config.exports ?? {}) ?? classesOf(config)
  } catch (error) {
    return [{ file: path, line: lineOf(text, /migrations/), message: `${messageOf(error)}.` }]
  }
  return classes
    .filter((name) => known.get(name) !== true)
    .map((name) => ({
      file: path,
      line: lineOf(text, new RegExp(String.raw`class_name["']?\s*[:=]\s*["']${escape(name)}["']`)),
      message: known.has(name) ? keyValueClass(name) : unknownClass(name, path, config),
    }))
}

/** For a wrangler that does not tell: the classes, and whether they are SQLite-backed. */
function classesOf({ migrations }: Unstable_Config): ReadonlyMap<string, boolean> {
  const classes = new Map<string, boolean>()
  for (const migration of migrations) {
    for (const name of migration.deleted_classes ?? []) {
      classes.delete(name)
    }
    for (const { from, to } of migration.renamed_classes ?? []) {
      classes.set(to, classes.get(from) ?? false)
      classes.delete(from)
    }
    for (const name of migration.new_classes ?? []) {
      classes.set(name, false)
    }
    for (const name of migration.new_sqlite_classes ?? []) {
      classes.set(name, true)
    }
  }
  return classes
}

function keyValueClass(name: string): string {
  return (
    `Class ${name} was made with new_classes and has no SQL. That cannot be changed: make another class ` +
    'with new_sqlite_classes, and move the data to it.'
  )
}

function unknownClass(name: string, path: string, { migrations }: Unstable_Config): string {
  const tag = nextTag(migrations.map((migration) => migration.tag))
  const lines = path.endsWith('.toml')
    ? `[[migrations]] tag = ${JSON.stringify(tag)} new_sqlite_classes = [${JSON.stringify(name)}], on three lines`
    : `{ "tag": ${JSON.stringify(tag)}, "new_sqlite_classes": [${JSON.stringify(name)}] }`
  const where = path.endsWith('.toml') ? 'at the end' : 'to "migrations"'
  return `Class ${name} is not a SQLite class. Add ${where}: ${lines}`
}

/** `v3` after `v2`. */
function nextTag(tags: readonly string[]): string {
  const [, prefix = 'v', number = '0'] = /^(.*?)(\d+)$/.exec(tags.at(-1) ?? '') ?? []
  const next = `${prefix}${String(Number(number) + 1).padStart(number.length, '0')}`
  return tags.includes(next) ? `${next}-sqlite` : next
}

function lineOf(text: string, pattern: RegExp): number {
  return text.slice(0, Math.max(0, text.search(pattern))).split('\n').length
}

function escape(text: string): string {
  return text.replace(/[^\w]/g, String.raw`\$&`)
}
