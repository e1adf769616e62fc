import { existsSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { readSchema, type TableSchema } from '../schema/introspect-schema.js'
import { hasCode, messageOf, UsageError } from './usage-error.js'

/** A SQLite file that is only read, also while a Worker writes to it. */
export class DatabaseFile {
  static async open(path: string): Promise<DatabaseFile> {
    const { DatabaseSync } = await importSqlite()
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      throw new UsageError(`There is no database file ${path}.`)
    }
    try {
      const database = new DatabaseSync(toUrl(path), { readOnly: true, timeout: BUSY_TIMEOUT })
      return new DatabaseFile(path, database)
    } catch (error) {
      // A path as URL came with Node 22.15.
      throw hasCode(error, 'ERR_INVALID_ARG_TYPE') ? nodeTooOld() : unreadable(path, error)
    }
  }

  readonly #path: string
  readonly #database: DatabaseSync

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path
    this.#database = database
  }

  readSchema(): TableSchema[] {
    try {
      return readSchema((query, ...bindings) =>
        this.#database
          .prepare(query)
          .all(...bindings)
          .map(({ json }) => json as string),
      )
    } catch (error) {
      throw unreadable(this.#path, error)
    }
  }

  /** The name that the Durable Object was got by, which local development keeps. */
  readObjectName(): string | undefined {
    try {
      const row = this.#database.prepare('select name from __miniflare_do_name').get()
      return row?.['name'] as string | undefined
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#database.close()
  }
}

/** Milliseconds. */
const BUSY_TIMEOUT = 5_000

/**
 * Without a write-ahead log beside it nobody has the file open, and it is opened as immutable: SQLite
 * would leave a log and its index there otherwise. https://www.sqlite.org/uri.html#uriimmutable
 */
function toUrl(path: string): URL {
  const url = pathToFileURL(path)
  if (!existsSync(`${path}-wal`) && !existsSync(`${path}-journal`)) {
    url.searchParams.set('immutable', '1')
  }
  return url
}

/** Imports `node:sqlite` without the warning that Node 22 prints for it. */
async function importSqlite(): Promise<typeof import('node:sqlite')> {
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
