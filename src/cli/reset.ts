import { existsSync, readdirSync, rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Settings } from './settings.js'
import { importSqlite } from './state/database-file.js'
import { listing, type LocalObject, readLocalObjects, stateDirectory } from './state/local-state.js'
import { note, printable, writeOut } from './terminal.js'
import { messageOf, UsageError } from './usage-error.js'

/** Does `kysely-durable-sqlite reset`, and returns the exit code. */
export async function reset(
  { database = '.', class: className, object }: Settings,
  { yes = false }: { readonly yes?: boolean } = {},
): Promise<number> {
  if (className === undefined && object === undefined) {
    throw new UsageError('Say what to delete: --class <name>, or --object <id or name>.')
  }
  const root = stateDirectory(database)
  const objects = await readLocalObjects(root, { className, object })
  const classes = new Set(objects.map(({ workerAndClass }) => workerAndClass))
  if (classes.size > 1) {
    throw new UsageError(
      `There are several such classes in ${root}. Choose one with --class.\n${listing(objects)}`,
    )
  }
  const directory = dirname(objects.at(0)!.path)
  writeOut(printable(`To be deleted from ${root}:\n${listing(objects)}\n`))
  if (!yes && !(await confirm())) {
    note('Nothing was deleted.')
    return 0
  }
  await deleteObjects(objects, directory, object === undefined)
  writeOut(`Deleted ${objects.length === 1 ? 'it' : `all ${objects.length}`}.\n`)
  return 0
}

async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UsageError('Nothing was deleted. Without a terminal to ask, pass --yes.')
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await prompt.question('Delete? (y/N) ')).trim())
  } finally {
    prompt.close()
  }
}

/** Locks everything first, so that nobody has it open, and nobody opens it meanwhile. */
async function deleteObjects(
  objects: readonly LocalObject[],
  directory: string,
  isWhole: boolean,
): Promise<void> {
  const alarms = join(directory, 'metadata.sqlite')
  const locks: DatabaseSync[] = []
  try {
    const paths = [...(existsSync(alarms) ? [alarms] : []), ...objects.map(({ path }) => path)]
    for (const path of paths) {
      locks.push(await lock(path))
    }
    if (existsSync(alarms) && !isWhole) {
      deleteAlarms(locks.at(0)!, objects)
    }
  } catch (error) {
    closeAll(locks)
    throw error
  }
  const remove = (): void => {
    if (isWhole) {
      removeClass(directory)
    } else {
      objects.forEach(({ path }) => removeDatabase(path))
    }
  }
  if (process.platform !== 'win32') {
    remove()
  }
  closeAll(locks)
  // Windows removes no open file; elsewhere, what SQLite left when it was closed.
  remove()
}

/** Throws `UsageError` while anyone else has it open. https://www.sqlite.org/pragma.html#pragma_locking_mode */
async function lock(path: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await importSqlite()
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('pragma locking_mode = exclusive; begin exclusive')
    return database
  } catch (error) {
    database?.close()
    if (/locked|busy/i.test(messageOf(error))) {
      throw new UsageError(
        `${path} is open. Stop \`wrangler dev\`, and whatever else has it open, first.`,
      )
    }
    if (/not a database|malformed/i.test(messageOf(error))) {
      // Nobody can have that open.
      return new DatabaseSync(':memory:')
    }
    throw new UsageError(`${path} cannot be locked: ${messageOf(error)}.`)
  }
}

/** Alarms lie beside the objects: Miniflare keeps them in a table of its own. */
function deleteAlarms(metadata: DatabaseSync, objects: readonly LocalObject[]): void {
  const hasAlarms = metadata.prepare("select 1 from sqlite_master where name = '_cf_ALARM'").get()
  if (hasAlarms !== undefined) {
    const remove = metadata.prepare('delete from _cf_ALARM where actor_id = ?')
    for (const { objectId } of objects) {
      remove.run(objectId)
    }
    metadata.exec('commit')
  }
}

function closeAll(locks: readonly DatabaseSync[]): void {
  for (const database of locks) {
    if (database.isOpen) {
      database.close()
    }
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    rmSync(path + suffix, { force: true })
  }
}

/** The files of the class, and its directory if nothing else is in it. */
function removeClass(directory: string): void {
  if (!existsSync(directory)) {
    return
  }
  for (const name of readdirSync(directory)) {
    if (/^(?:[0-9a-f]{64}|metadata)\.sqlite(?:-wal|-shm|-journal)?$/.test(name)) {
      rmSync(join(directory, name), { force: true })
    }
  }
  if (readdirSync(directory).length === 0) {
    rmSync(directory, { recursive: true })
  }
}
