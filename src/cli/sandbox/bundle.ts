import type { BuildFailure, Plugin } from 'esbuild'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { FindingsError } from '../finding.js'
import type { MigrationSource } from '../migrations/migration-files.js'
import { ownFile, type Project, type WranglerTools } from '../project.js'
import { UsageError } from '../usage-error.js'
import { ENTRY, OriginalSources } from './original-sources.js'

/** The Worker as one module. */
export interface Bundle {
  readonly script: string
  readonly sources: OriginalSources
}

/**
 * Bundles the Worker with the user's migrations and Kysely, by the user's esbuild. Throws `FindingsError`
 * for what cannot be bundled.
 */
export async function bundle(
  project: Project,
  { esbuild }: WranglerTools,
  source: MigrationSource,
): Promise<Bundle> {
  if (project.resolve('kysely') === undefined) {
    throw new UsageError(
      `There is no kysely in ${project.directory}, which the migrations need to run. Install it: npm install kysely`,
    )
  }
  try {
    const { outputFiles, metafile } = await esbuild.build({
      stdin: { contents: entryOf(source), resolveDir: project.directory, sourcefile: ENTRY },
      bundle: true,
      write: false,
      outdir: project.directory,
      absWorkingDir: project.directory,
      format: 'esm',
      target: 'es2022',
      // As wrangler bundles a Worker.
      platform: 'browser',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['cloudflare:*', 'node:*'],
      loader: { '.sql': 'text', '.txt': 'text', '.html': 'text' },
      sourcemap: 'external',
      metafile: true,
      logLevel: 'silent',
      plugins: [rawImports, packagesOf(project)],
    })
    const file = (extension: string): string =>
      outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? ''
    return {
      script: file('.js'),
      sources: new OriginalSources(
        file('.js.map'),
        textsOf(Object.keys(metafile.inputs).map((path) => resolve(project.directory, path))),
        project.directory,
      ),
    }
  } catch (error) {
    throw isBuildFailure(error) ? findingsOf(error) : error
  }
}

/** The inputs that a source map does not have: they are no code. */
function textsOf(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths
      .filter((path) => /\.(?:sql|txt|html)$/.test(path))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  )
}

function entryOf({ index, modules }: MigrationSource): string {
  const load =
    index === undefined
      ? `migrationsFromFiles({ ...texts, ${modules
          .map((path) => `${JSON.stringify(path)}: await import(${JSON.stringify(resolve(path))})`)
          .join(', ')} })`
      : `migrationsOf(await import(${JSON.stringify(resolve(index))}), ${JSON.stringify(index)})`
  return [
    `import { createSandbox, migrationsFromFiles, migrationsOf } from ${JSON.stringify(ownFile('cli-worker.js'))}`,
    `const { handler, Sandbox } = createSandbox(async (texts) => ${load})`,
    'export { Sandbox }',
    'export default handler',
  ].join('\n')
}

/** Kysely is the project's own, for this package's Worker as well. */
function packagesOf(project: Project): Plugin {
  return {
    name: 'kysely of the project',
    setup(build) {
      build.onResolve({ filter: /^kysely(?:\/|$)/ }, async ({ path, kind, pluginData }) =>
        pluginData === RESOLVING
          ? undefined
          : build.resolve(path, { kind, resolveDir: project.directory, pluginData: RESOLVING }),
      )
    },
  }
}

const RESOLVING = Symbol('resolving')

/** `import text from './0001.sql?raw'`, as Vite has it. */
const rawImports: Plugin = {
  name: 'raw imports',
  setup(build) {
    build.onResolve({ filter: /\?raw$/ }, async ({ path, kind, resolveDir, importer }) =>
      build.resolve(path.replace(/\?raw$/, ''), { kind, resolveDir, importer }),
    )
  },
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function findingsOf({ errors }: BuildFailure): FindingsError {
  return new FindingsError(
    errors.map(({ text, location }) => ({
      file: location?.file,
      line: location?.line,
      message: `The migrations cannot be bundled: ${text}`,
    })),
  )
}
