import type { Miniflare } from 'miniflare'
import { FindingsError } from '../finding.js'
import type { MigrationSource } from '../migrations/migration-files.js'
import type { Project } from '../project.js'
import { note } from '../terminal.js'
import { messageOf, UsageError } from '../usage-error.js'
import { bundle } from './bundle.js'
import type { OriginalSources } from './original-sources.js'
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
    }
    // Versions before 5 take the options as they are. What migrations print is no output of the program.
    const miniflare = new Miniflare(
      convertV4MiniflareOptions === undefined
        ? ({ ...options, handleRuntimeStdio: pipeToStandardError } as never)
        : convertV4MiniflareOptions({
            ...options,
            handleStructuredLogs: ({ message }) => note(message),
          }),
    )
    try {
      await miniflare.ready
    } catch (error) {
      await miniflare.dispose().catch(() => {})
      throw new UsageError(`workerd did not start: ${messageOf(error)}`)
    }
    return new Sandbox(miniflare, sources, source.path)
  }

  readonly #miniflare: Miniflare
  readonly #path: string
  readonly sources: OriginalSources

  private constructor(miniflare: Miniflare, sources: OriginalSources, path: string) {
    this.#miniflare = miniflare
    this.sources = sources
    this.#path = path
  }

  /** The migrations in the order in which they run. Throws `FindingsError` if they cannot be loaded. */
  async list(): Promise<readonly ListedMigration[]> {
    const response = await this.#ask<readonly ListedMigration[]>({ command: 'list' })
    if ('failure' in response) {
      const { message, stacks } = response.failure
      throw new FindingsError([
        {
          file: this.#path,
          line: 1,
          ...this.sources.placeOf(stacks),
          message: `The migrations cannot be loaded: ${message}`,
        },
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

function pipeToStandardError(...streams: readonly NodeJS.ReadableStream[]): void {
  for (const stream of streams) {
    stream.pipe(process.stderr, { end: false })
  }
}

function failed(message: string): { readonly failure: SandboxFailure } {
  return { failure: { message, hint: undefined, stacks: [], sql: undefined, repetition: 0 } }
}
