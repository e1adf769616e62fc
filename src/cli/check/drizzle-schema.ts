import type { Plugin } from 'esbuild'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import picomatch from 'picomatch'
import { FindingsError } from '../finding.js'
import { importModule, type Project, type WranglerTools } from '../project.js'
import { hasCode, messageOf, UsageError } from '../usage-error.js'

/** `casing` of Drizzle. */
type Casing = 'snake_case' | 'camelCase'

/** What drizzle-kit's interface for programs has. */
interface DrizzleKit {
  generateSQLiteDrizzleJson(
    imports: Record<string, unknown>,
    previous?: string,
    casing?: Casing,
  ): Promise<unknown>
  generateSQLiteMigration(previous: unknown, current: unknown): Promise<string[]>
}

interface DrizzleConfig {
  readonly schema?: string | readonly string[]
  readonly casing?: Casing
  readonly dialect: string
}

export interface DrizzleStatements {
  readonly statements: readonly string[]
  /** The files of the schema, relative to the working directory. */
  readonly files: readonly string[]
}

/** The statements with which the project's own drizzle-kit makes the schema. */
export async function drizzleStatements(
  project: Project,
  tools: WranglerTools,
  path: string,
): Promise<DrizzleStatements> {
  const kit = await loadDrizzleKit(project)
  const { schema, casing, files } = await loadSchema(tools, path)
  try {
    const empty = await kit.generateSQLiteDrizzleJson({})
    const current = await kit.generateSQLiteDrizzleJson(schema, undefined, casing)
    return { statements: await kit.generateSQLiteMigration(empty, current), files }
  } catch (error) {
    throw new UsageError(`drizzle-kit cannot read ${path}: ${messageOf(error)}`)
  }
}

async function loadDrizzleKit(project: Project): Promise<DrizzleKit> {
  const path = project.resolve('drizzle-kit/api')
  if (path === undefined) {
    throw new UsageError(
      `There is no drizzle-kit in ${project.directory}, which reads the Drizzle schema. ` +
        'Install it: npm install --save-dev drizzle-kit',
    )
  }
  const loaded = await importModule<DrizzleKit & { readonly default?: DrizzleKit }>(path)
  const kit = loaded.generateSQLiteDrizzleJson === undefined ? loaded.default : loaded
  if (kit?.generateSQLiteDrizzleJson === undefined) {
    throw new UsageError('This version of drizzle-kit has no generateSQLiteDrizzleJson. Use 0.31.')
  }
  return kit
}

interface LoadedSchema {
  readonly schema: Record<string, unknown>
  readonly casing: Casing | undefined
  readonly files: readonly string[]
}

async function loadSchema(tools: WranglerTools, path: string): Promise<LoadedSchema> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`There is no Drizzle schema ${path}.`)
  }
  const module = await loadModule(tools, path)
  const config = module['default']
  if (!isConfig(config)) {
    return { schema: module, casing: undefined, files: [path] }
  }
  const patterns = [config.schema ?? []].flat()
  const files = patterns.flatMap((pattern) => filesOf(dirname(path), pattern))
  if (files.length === 0) {
    throw new UsageError(`${path} names no schema that is there.`)
  }
  const modules = await Promise.all(files.map((file) => loadModule(tools, file)))
  return {
    schema: Object.assign({}, ...modules) as Record<string, unknown>,
    casing: config.casing,
    files: files.map((file) => relative('', file)),
  }
}

function isConfig(value: unknown): value is DrizzleConfig {
  return typeof value === 'object' && value !== null && 'dialect' in value && 'schema' in value
}

/** A file, the modules in a directory, or what a glob finds. */
function filesOf(directory: string, pattern: string): string[] {
  const path = join(directory, pattern)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile()) {
    return [path]
  }
  const isMatch = stats?.isDirectory()
    ? (file: string): boolean => dirname(file) === resolve(path) && /\.[cm]?[jt]s$/.test(file)
    : picomatch(resolve(path))
  return allFiles(resolve(directory))
    .filter((file) => isMatch(file))
    .toSorted()
}

/** Without packages. `readdirSync` would follow links when it is recursive. */
function allFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) {
        return allFiles(path)
      }
      return entry.isFile() ? [path] : []
    })
}

/** Bundled whole, so that nothing has to be written for it to be imported. */
async function loadModule(
  { esbuild }: WranglerTools,
  path: string,
): Promise<Record<string, unknown>> {
  const { outputFiles } = await esbuild
    .build({
      entryPoints: [resolve(path)],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      logLevel: 'silent',
      plugins: [configHelper],
      banner: {
        js: `import { createRequire as kyselyDurableSqliteRequire } from 'node:module'; const require = kyselyDurableSqliteRequire(${JSON.stringify(resolve(path))});`,
      },
    })
    .catch((error: unknown) => {
      throw unbundled(path, error)
    })
  const code = Buffer.from(outputFiles.at(0)!.contents).toString('base64')
  try {
    return (await import(`data:text/javascript;base64,${code}`)) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(`${path} cannot be loaded: ${messageOf(error)}`)
  }
}

function unbundled(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) {
    return hasCode(error, 'ENOENT') ? new UsageError(messageOf(error)) : error
  }
  const errors = error.errors as { text: string; location: { file: string; line: number } | null }[]
  return new FindingsError(
    errors.map(({ text, location }) => ({
      file: location === null ? path : relative('', resolve(location.file)),
      line: location?.line,
      message: `The Drizzle schema cannot be bundled: ${text}`,
    })),
  )
}

/** `defineConfig`, without the whole of drizzle-kit. */
const configHelper: Plugin = {
  name: 'defineConfig',
  setup(build) {
    build.onResolve({ filter: /^drizzle-kit$/ }, () => ({
      path: 'drizzle-kit',
      namespace: 'config-helper',
    }))
    build.onLoad({ filter: /.*/, namespace: 'config-helper' }, () => ({
      contents: 'export const defineConfig = (config) => config',
    }))
  },
}
