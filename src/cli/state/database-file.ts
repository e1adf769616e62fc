import { existsSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { readSchema, type TableSchema } from '../../schema/introspect-schema.js'
import { hasCode, messageOf, UsageError } from '../usage-error.js'

/** What the program reads from the database of an object. */
export interface DatabaseContent {
  readonly tables: readonly TableSchema[]
  /** The name that the Durable Object was got by, which local development keeps. */
  readonly objectName: string | undefined
  /** In the order in which they were applied; undefined if there is no journal. */
  readonly journal: readonly StoredEntry[] | undefined
}

/** An entry of Kysely's table `kysely_migration`. */
export interface StoredEntry {
  readonly name: string
  /** ISO 8601, in UTC. */
  readonly timestamp: string
  /** Null where it is not known. */
  readonly checksum: string | null
}

/**
 * Reads a SQLite file, also while a Worker writes to it. A file that nobody has open is read without a
 * lock; if somebody opens it meanwhile, it is read anew.
 */
export async function readDatabase(path: string): Promise<DatabaseContent> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const isIdle = !isOpen(path)
    const before = statSync(path, { throwIfNoEntry: false })
    let content: DatabaseContent | undefined
    try {
      content = await readOnce(path, isIdle)
    } catch (error) {
      if (!isIdle || !isOpen(path)) {
        throw error
      }
    }
    const after = statSync(path, { throwIfNoEntry: false })
    if (content !== undefined && (!isIdle || (!isOpen(path) && before?.mtimeMs === after?.mtimeMs))) {
      return content
    }
  }
  throw new UsageError(`${path} changes while it is read. Try again.`)
}

const MAX_ATTEMPTS = 20

async function readOnce(path: string, immutable: boolean): Promise<DatabaseContent> {
  const database = await open(path, immutable)
  try {
    // One view of all of it.
    database.exec('begin')
    return {
      tables: readSchema((query, ...bindings) =>
        database
          .prepare(query)
          .all(...bindings)
          .map(({ json }) => json as string),
      ),
      objectName: orUndefined(() => readObjectName(database)),
      journal: orUndefined(() => readJournal(database)),
    }
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    database.close()
  }
}

async function open(path: string, immutable: boolean): Promise<DatabaseSync> {
  const { DatabaseSync } = await importSqlite()
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`There is no database file ${path}.`)
  }
  try {
    return new DatabaseSync(toUrl(path, immutable), { readOnly: true, timeout: BUSY_TIMEOUT })
  } catch (error) {
    // A path as URL came with Node 22.15.
    throw hasCode(error, 'ERR_INVALID_ARG_TYPE') ? nodeTooOld() : unreadable(path, error)
  }
}

/** A table of that name may be another's. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function readObjectName(database: DatabaseSync): string | undefined {
  if (!hasTable(database, '__miniflare_do_name')) {
    return undefined
  }
  const row = database.prepare('select cast(name as text) as name from __miniflare_do_name').get()
  return (row?.['name'] as string | null | undefined) ?? undefined
}

function readJournal(database: DatabaseSync): StoredEntry[] | undefined {
  if (!hasTable(database, 'kysely_migration')) {
    return undefined
  }
  const columns = database.prepare("select name from pragma_table_info('kysely_migration')").all()
  const checksum = columns.some(({ name }) => name === 'checksum') ? 'checksum' : 'null'
  return database
    .prepare(
      `select cast(name as text) as name, cast(timestamp as text) as timestamp, ${checksum} as checksum
      from kysely_migration order by timestamp, rowid`,
    )
    .all() as unknown as StoredEntry[]
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return (
    database.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name) !==
    undefined
  )
}

/** Milliseconds. */
const BUSY_TIMEOUT = 5_000

/** Whether somebody has the file open, or had when it crashed. */
function isOpen(path: string): boolean {
  return existsSync(`${path}-wal`) || existsSync(`${path}-journal`)
}

/**
 * As immutable, SQLite takes no lock, and leaves no log and no index of it beside the file, as it would
 * otherwise. https://www.sqlite.org/uri.html#uriimmutable
 */
function toUrl(path: string, immutable: boolean): URL {
  const url = pathToFileURL(path)
  if (immutable) {
    url.searchParams.set('immutable', '1')
  }
  return url
}

/** Imports `node:sqlite` without the warning that Node 22 prints for it. */
export async function importSqlite(): Promise<typeof import('node:sqlite')> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    return await import('node:sqlite')
  } catch {
    throw nodeTooOld()
  } finally {
    process.emitWarning = emitWarning
  }
}

function nodeTooOld(): UsageError {
  return new UsageError(
    `Node.js ${process.versions.node} cannot read the database. Use Node.js 22.15 or later.`,
  )
}

function unreadable(path: string, error: unknown): UsageError {
  return new UsageError(`${path} cannot be read as a SQLite database: ${messageOf(error)}.`)
}
