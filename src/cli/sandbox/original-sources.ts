import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, relative, resolve, sep } from 'node:path'

/** A place in a file of the user. */
export interface Place {
  readonly file?: string
  /** From 1. */
  readonly line?: number
}

/** A text in a file. */
export interface FoundText {
  readonly file: string
  /** Of the whole file. */
  readonly content: string
  readonly index: number
}

/** The files that a bundle was made of, and where in them its lines come from. */
export class OriginalSources {
  readonly #map: SourceMap | undefined
  readonly #directory: string
  /** The text of the user's own files, by path. */
  readonly #contents: ReadonlyMap<string, string>

  /**
   * @param map the source map of the bundle
   * @param texts the files that are no code, by absolute path
   */
  constructor(map: string, texts: ReadonlyMap<string, string>, directory: string) {
    this.#directory = directory
    const payload = map === '' ? undefined : (JSON.parse(map) as SourceMapPayload)
    this.#map = payload === undefined ? undefined : new SourceMap(payload)
    const code = (payload?.sources ?? []).map((source, index): [string, string] => [
      resolve(directory, source),
      payload?.sourcesContent[index] ?? '',
    ])
    this.#contents = new Map(
      [...code, ...texts]
        .filter(([path]) => isOfUser(path))
        .map(([path, content]) => [relative(directory, path), content]),
    )
  }

  /** The line of the user that an error comes from, by its stacks. */
  placeOf(stacks: readonly string[]): Place {
    for (const stack of stacks) {
      for (const [, line, column] of stack.matchAll(/:(\d+):(\d+)\)?$/gm)) {
        const entry = this.#map?.findEntry(Number(line) - 1, Number(column) - 1)
        if (entry !== undefined && 'originalSource' in entry) {
          const path = resolve(this.#directory, entry.originalSource)
          if (isOfUser(path)) {
            return { file: relative(this.#directory, path), line: entry.originalLine + 1 }
          }
        }
      }
    }
    return {}
  }

  /** Where the text stands, if it stands in one place. */
  find(text: string): FoundText | undefined {
    const found = [...this.#contents].flatMap(([file, content]) => {
      const index = content.indexOf(text)
      return index === -1 || content.includes(text, index + 1) ? [] : [{ file, content, index }]
    })
    return found.length === 1 ? found[0] : undefined
  }
}

/** Neither of a package, nor of this one, which may be linked. */
function isOfUser(path: string): boolean {
  return (
    !path.includes(`${sep}node_modules${sep}`) &&
    !path.startsWith(dirname(import.meta.dirname) + sep + 'dist' + sep) &&
    !path.endsWith(`${sep}${ENTRY}`)
  )
}

/** The name of the module that a bundle begins with. */
export const ENTRY = 'kysely-durable-sqlite-entry.js'
