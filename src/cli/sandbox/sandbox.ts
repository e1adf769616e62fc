import type { BuildFailure, Plugin } from 'esbuild'
import type { Miniflare } from 'miniflare'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { FindingsError } from '../finding.js'
import type { MigrationSource } from '../migrations/migration-files.js'
import { ownFile, type Project, type WranglerTools } from '../project.js'
import { messageOf, UsageError } from '../usage-error.js'
import { ENTRY, OriginalSources } from './original-sources.js'
import type {
  ListedMigration,
  SandboxFailure,
  SandboxRequest,
  SandboxResponse,
  Snapshot,
} from './protocol.js'

/** What the runtime is to be like. */
export interface SandboxOptions {
  readonly compatibilityDate?: string | undefined
  readonly compatibilityFlags?: readonly string[] | undefined
}

/** Milliseconds. Longer than the 25 s after which the library itself undoes a migration. */
const TIMEOUT = 40_000

/** A Worker in the workerd of the user's wrangler that runs the user's migrations on objects of its own. */
export class Sandbox implements AsyncDisposable {
  static async start(
    project: Project,
    source: MigrationSource,
    { compatibilityDate, compatibilityFlags }: SandboxOptions,
  ): Promise<Sandbox> {
    const tools = await project.tools()
    const { script, sources } = await bundle(project, tools, source)
    const { Miniflare, convertV4MiniflareOptions } = tools.miniflare
    const newest = tools.newestCompatibilityDate
    const options = {
      modules: true,
      script,
      compatibilityDate:
        compatibilityDate !== undefined && compatibilityDate < newest ? compatibilityDate : newest,
      compatibilityFlags: [...(compatibilityFlags ?? [])],
      durableObjects: { SANDBOX: { className: 'Sandbox', useSQLite: true } },
      bindings: { TEXTS: Object.fromEntries(source.texts) },
      cf: false as const,
      // What migrations print is no output of the program.
      handleRuntimeStdio: (...streams: { pipe(to: NodeJS.WritableStream): unknown }[]) => {
        for (const stream of streams) {
          stream.pipe(process.stderr)
        }
      },
    }
    // Versions before 5 take the options as they are.
    const miniflare = new Miniflare(convertV4MiniflareOptions?.(options) ?? (options as never))
    try {
      await miniflare.ready
    } catch (error) {
      await miniflare.dispose().catch(() => {})
      throw new UsageError(`workerd did not start: ${messageOf(error)}`)
    }
    return new Sandbox(miniflare, sources)
  }

  readonly #miniflare: Miniflare
  readonly sources: OriginalSources

  private constructor(miniflare: Miniflare, sources: OriginalSources) {
    this.#miniflare = miniflare
    this.sources = sources
  }

  /** The migrations in the order in which they run. Throws `FindingsError` if they cannot be loaded. */
  async list(): Promise<readonly ListedMigration[]> {
    const response = await this.#ask<readonly ListedMigration[]>({ command: 'list' })
    if ('failure' in response) {
      const { message, stacks } = response.failure
      throw new FindingsError([
        { ...this.sources.placeOf(stacks), message: `The migrations cannot be loaded: ${message}` },
      ])
    }
    return response.result
  }

  /** Migrates the object until this migration is the last, and says what failed. */
  async migrate(object: string, to: string | null): Promise<SandboxFailure | undefined> {
    const response = await this.#ask<unknown>({ command: 'migrate', object, to })
    return 'failure' in response ? response.failure : undefined
  }

  async snapshot(object: string): Promise<Snapshot> {
    const response = await this.#ask<Snapshot>({ command: 'snapshot', object })
    if ('failure' in response) {
      throw new UsageError(`The schema cannot be read: ${response.failure.message}`)
    }
    return response.result
  }

  async execute(
    object: string,
    statements: readonly string[],
  ): Promise<SandboxFailure | undefined> {
    const response = await this.#ask<null>({ command: 'execute', object, statements })
    return 'failure' in response ? response.failure : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#miniflare.dispose()
  }

  async #ask<T>(request: SandboxRequest): Promise<SandboxResponse<T>> {
    const timeout = AbortSignal.timeout(TIMEOUT)
    const answered = this.#miniflare
      .dispatchFetch('http://sandbox', { method: 'POST', body: JSON.stringify(request) })
      .then(async (response) => {
        const text = await response.text()
        return response.ok ? (JSON.parse(text) as SandboxResponse<T>) : failed(text)
      })
      .catch((error: unknown) => failed(messageOf(error)))
    const late = new Promise<SandboxResponse<T>>((done) => {
      timeout.addEventListener('abort', () => {
        done(failed(`it did not end within ${TIMEOUT / 1000} s`))
      })
    })
    return Promise.race([answered, late])
  }
}

function failed(message: string): { readonly failure: SandboxFailure } {
  return { failure: { message, code: undefined, stacks: [], sql: undefined, repetition: 0 } }
}

interface Bundle {
  readonly script: string
  readonly sources: OriginalSources
}

async function bundle(
  project: Project,
  { esbuild }: WranglerTools,
  source: MigrationSource,
): Promise<Bundle> {
  if (project.resolve('kysely') === undefined) {
    throw new UsageError(
      `There is no kysely in ${project.directory}, with which the migrations run. Install it: npm install kysely`,
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
