import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { UsageError } from '../usage-error.js'
import type { DatabaseContent } from './database-file.js'
import { readDatabases } from './read-databases.js'

/** The database of a Durable Object, as `wrangler dev` keeps it. */
export interface LocalDatabase {
  readonly path: string
  /** `<worker>-<class>`, the name of the directory. A class has no hyphen in its name. */
  readonly workerAndClass: string
  readonly className: string
  readonly objectId: string
}

/** What could be read of it. */
export interface LocalObject extends LocalDatabase {
  readonly content: DatabaseContent | undefined
  /** Why there is no content. */
  readonly error: string | undefined
  /** Bytes, with those of its write-ahead log. */
  readonly size: number
}

/** What was asked for, of the databases that there are. */
export interface LocalStateSelection {
  /** The class, or `<worker>-<class>`. */
  readonly className: string | undefined
  /** The id of the object, the beginning of it, or its name. */
  readonly object: string | undefined
}

const DATABASE_FILE = /^[0-9a-f]{64}\.sqlite$/

/** Where the state is: `.wrangler/state` of the directory, or the directory itself. */
export function stateDirectory(directory: string): string {
  const state = join(directory, '.wrangler', 'state')
  return existsSync(state) ? state : directory
}

/**
 * The databases of objects, `do/<worker>-<class>/<object id>.sqlite`, by path. The Worker's own workings,
 * such as those of R2 and D1, lie in other directories. Throws `UsageError` if there are none.
 */
export function findLocalDatabases(root: string, className: string | undefined): LocalDatabase[] {
  const all = listDatabases(root)
  if (all.length === 0) {
    throw new UsageError(
      `There is no database of a Durable Object in ${root === '.' ? 'this directory' : root}. Run the ` +
        'Worker with `wrangler dev` and have it use one. `generate` also takes a SQLite file, or --migrations.',
    )
  }
  const found = all.filter(
    (database) =>
      className === undefined ||
      database.className === className ||
      database.workerAndClass === className,
  )
  if (found.length === 0) {
    const names = [...new Set(all.map(({ workerAndClass }) => workerAndClass))].join(', ')
    throw new UsageError(`There is no class ${className} in ${root}, but ${names}.`)
  }
  return found
}

/** The objects that were asked for, with what is in them. Throws `UsageError` if there are none. */
export async function readLocalObjects(
  root: string,
  { className, object }: LocalStateSelection,
): Promise<readonly LocalObject[]> {
  const databases = findLocalDatabases(root, className)
  const byId = databases.filter(
    ({ objectId }) => object !== undefined && objectId.startsWith(object),
  )
  const objects = await readObjects(byId.length > 0 ? byId : databases)
  const found =
    object === undefined || byId.length > 0
      ? objects
      : objects.filter(({ content }) => content?.objectName === object)
  if (found.length === 0) {
    throw new UsageError(`There is no object ${object} in ${root}, but\n${listing(objects)}`)
  }
  return found
}

async function readObjects(databases: readonly LocalDatabase[]): Promise<LocalObject[]> {
  const results = await readDatabases(databases.map(({ path }) => path))
  return databases.map((database, index) => {
    const result = results.at(index)!
    return {
      ...database,
      content: 'content' in result ? result.content : undefined,
      error: 'error' in result ? result.error : undefined,
      size: sizeOf(database.path) + sizeOf(`${database.path}-wal`),
    }
  })
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Where the directories of classes are, below the state or what lies above it. */
const PLACES = ['do', 'v3/do', 'state/v3/do', '.wrangler/state/v3/do']

function listDatabases(root: string): LocalDatabase[] {
  const place = PLACES.map((path) => join(root, path)).find((path) => isDirectory(path))
  if (place === undefined) {
    return []
  }
  return readdirSync(place)
    .toSorted()
    .flatMap((workerAndClass) => {
      const directory = join(place, workerAndClass)
      const files = isDirectory(directory) ? readdirSync(directory) : []
      return files
        .toSorted()
        .filter((file) => DATABASE_FILE.test(file))
        .map((file) => ({
          path: join(directory, file),
          workerAndClass,
          className: workerAndClass.slice(workerAndClass.lastIndexOf('-') + 1),
          objectId: basename(file, '.sqlite'),
        }))
    })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** One line for each object: `  chat-Room  0123…  "lobby"`. */
export function listing(objects: readonly LocalObject[]): string {
  return objects
    .map((object) => `  ${object.workerAndClass}  ${object.objectId}${nameOf(object)}`)
    .join('\n')
}

function nameOf({ content }: LocalObject): string {
  return content?.objectName === undefined ? '' : `  ${JSON.stringify(content.objectName)}`
}
