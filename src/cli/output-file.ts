import {
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { GENERATED_HEADER } from '../codegen/generate.js'
import { makeDirectory } from './make-directory.js'
import { hasCode, messageOf, UsageError } from './usage-error.js'

/** The text of the file; undefined if there is none. */
export function readOutputFile(path: string): string | undefined {
  try {
    return isThere(path) ? readFileSync(path, 'utf8') : undefined
  } catch (error) {
    throw unusable(path, error)
  }
}

/** Writes the whole file or nothing, and only over a file that was generated, too. */
export function writeOutputFile(path: string, text: string): void {
  const present = readOutputFile(path)
  if (present === text) {
    return
  }
  if (present !== undefined && present.trim() !== '' && !present.startsWith(GENERATED_HEADER)) {
    throw new UsageError(
      `${path} was not generated and is left as it is. Remove it, or choose another --out.`,
    )
  }
  try {
    makeDirectory(dirname(path))
    // A link stays one, and its file is written.
    replaceFile(present === undefined ? path : realpathSync(path), text)
  } catch (error) {
    throw unusable(path, error)
  }
}

function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.kysely-durable-sqlite-${process.pid}.tmp`)
  try {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode
    writeFileSync(temporary, text, { flag: 'wx', ...(mode !== undefined && { mode }) })
    renameSync(temporary, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      rmSync(temporary, { force: true })
    }
    throw error
  }
}

/** Throws for what is there and no file: opening a FIFO waits for ever, and a device is not replaced. */
function isThere(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new UsageError(`${path} is a link to a file that is not there. Choose another --out.`)
    }
    return false
  }
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new UsageError(
      `${path} is a device, a pipe or a socket, not a file. Omit --out to write to standard output.`,
    )
  }
  return true
}

function unusable(path: string, error: unknown): UsageError {
  return error instanceof UsageError
    ? error
    : new UsageError(`${path} cannot be the output file: ${messageOf(error)}.`)
}
