import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseFile } from './database-file.js'
import { UsageError } from './usage-error.js'

/** The database of a Durable Object, as `wrangler dev` keeps it. */
interface LocalDatabase {
  readonly path: string
  /** `<worker>-<class>`, the name of the directory. A class has no hyphen in its name. */
  readonly workerAndClass: string
  readonly className: string
  readonly objectId: string
}

/** What was asked for, of the databases that there are. */
export interface LocalStateSelection {
  /** The class, or `<worker>-<class>`. */
  readonly className: string | undefined
  /** The id of the object, the beginning of it, or its name. */
  readonly object: string | undefined
}

const DATABASE_FILE = /^[0-9a-f]{64}\.sqlite$/

/**
 * The path of the database that was asked for: `do/<worker>-<class>/<object id>.sqlite`, somewhere
 * under `.wrangler/state` of the directory, or under the directory itself.
 */
export async function findLocalDatabase(
  directory: string,
  { className, object }: LocalStateSelection,
): Promise<string> {
  const state = join(directory, '.wrangler', 'state')
  const root = existsSync(state) ? state : directory
  const all = listDatabases(root)
  if (all.length === 0) {
    throw new UsageError(
      `There is no database of a Durable Object in ${root}. Run the Worker with \`wrangler dev\` ` +
        'and have it use one, or pass a SQLite file.',
    )
  }
  const ofClass = all.filter(
    (database) =>
      className === undefined ||
      database.className === className ||
      database.workerAndClass === className,
  )
  if (ofClass.length === 0) {
    throw new UsageError(`There is no class ${className} in ${root}, but ${namesOfClasses(all)}.`)
  }
  const found = object === undefined ? ofClass : await findObjects(ofClass, object)
  const [first, ...others] = found
  if (first === undefined) {
    throw new UsageError(`There is no object ${object} in ${root}, but\n${await listing(ofClass)}`)
  }
  if (others.some(({ workerAndClass }) => workerAndClass !== first.workerAndClass)) {
    throw new UsageError(
      `There are several classes in ${root}. Choose one with --class.\n${await listing(found)}`,
    )
  }
  if (others.length > 0) {
    throw new UsageError(
      `There are several objects of the class in ${root}. Choose one with --object.\n` +
        (await listing(found)),
    )
  }
  return first.path
}

function listDatabases(root: string): LocalDatabase[] {
  if (!existsSync(root)) {
    return []
  }
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => DATABASE_FILE.test(entry.name) && basename(dirname(entry.parentPath)) === 'do',
    )
    .map((entry) => {
      const workerAndClass = basename(entry.parentPath)
      return {
        path: join(entry.parentPath, entry.name),
        workerAndClass,
        className: workerAndClass.slice(workerAndClass.lastIndexOf('-') + 1),
        objectId: basename(entry.name, '.sqlite'),
      }
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

async function findObjects(
  databases: readonly LocalDatabase[],
  object: string,
): Promise<readonly LocalDatabase[]> {
  const byId = databases.filter(({ objectId }) => objectId.startsWith(object))
  if (byId.length > 0) {
    return byId
  }
  const found: LocalDatabase[] = []
  for (const database of databases) {
    if ((await readObjectName(database)) === object) {
      found.push(database)
    }
  }
  return found
}

async function readObjectName({ path }: LocalDatabase): Promise<string | undefined> {
  const file = await DatabaseFile.open(path)
  try {
    return file.readObjectName()
  } finally {
    file.close()
  }
}

/** One line for each database: `  chat-Room  0123…  'lobby'`. */
async function listing(databases: readonly LocalDatabase[]): Promise<string> {
  const lines: string[] = []
  for (const database of databases) {
    const name = await readObjectName(database)
    const named = name === undefined ? '' : `  ${JSON.stringify(name)}`
    lines.push(`  ${database.workerAndClass}  ${database.objectId}${named}`)
  }
  return lines.join('\n')
}

function namesOfClasses(databases: readonly LocalDatabase[]): string {
  return [...new Set(databases.map(({ workerAndClass }) => workerAndClass))].join(', ')
}
