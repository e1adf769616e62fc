import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Esbuild from 'esbuild'
import type * as MiniflareModule from 'miniflare'
import type * as Wrangler from 'wrangler'
import { messageOf, UsageError } from './usage-error.js'

/** What the user's own wrangler brings: its workerd, its bundler. */
export interface WranglerTools {
  readonly miniflare: typeof MiniflareModule
  readonly esbuild: typeof Esbuild
  /** The newest compatibility date that its workerd knows. */
  readonly newestCompatibilityDate: string
}

/** The packages of the project in the working directory, found as Node.js finds them. */
export class Project {
  readonly directory = process.cwd()
  readonly #require = createRequire(join(process.cwd(), 'package.json'))

  /** Wrangler itself, which takes a second to load. */
  async wrangler(): Promise<typeof Wrangler> {
    return importModule<typeof Wrangler>(this.#resolveWrangler())
  }

  async tools(): Promise<WranglerTools> {
    const require = createRequire(this.#resolveWrangler())
    const load = <T>(name: string): Promise<T> => importModule<T>(require.resolve(name))
    try {
      const [miniflare, esbuild, workerd] = await Promise.all([
        load<typeof MiniflareModule>('miniflare'),
        load<typeof Esbuild>('esbuild'),
        load<{ readonly default: { readonly compatibilityDate: string } }>('workerd'),
      ])
      return { miniflare, esbuild, newestCompatibilityDate: workerd.default.compatibilityDate }
    } catch (error) {
      throw new UsageError(`wrangler's own packages cannot be loaded: ${messageOf(error)}.`)
    }
  }

  /** The path of a package's module, or undefined. */
  resolve(name: string): string | undefined {
    try {
      return this.#require.resolve(name)
    } catch {
      return undefined
    }
  }

  #resolveWrangler(): string {
    const path = this.resolve('wrangler')
    if (path === undefined) {
      throw new UsageError(
        `There is no wrangler in ${this.directory}. The migrations run in its workerd. ` +
          'Install it: npm install --save-dev wrangler',
      )
    }
    return path
  }
}

export async function importModule<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(path).href)) as T
}

/** A file of this package, beside the program. */
export function ownFile(name: string): string {
  const path = join(import.meta.dirname, name)
  return existsSync(path) ? path : join(import.meta.dirname, '../../dist', name)
}
