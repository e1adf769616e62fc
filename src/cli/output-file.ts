import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GENERATED_HEADER } from '../codegen/generate.js'
import { hasCode, messageOf, UsageError } from './usage-error.js'

/** The text of the file; undefined if there is none. */
export function readOutputFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined
    }
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
  const directory = dirname(path)
  const temporary = join(directory, `.kysely-durable-sqlite-${process.pid}.tmp`)
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw unusable(path, error)
  }
}

function unusable(path: string, error: unknown): UsageError {
  return new UsageError(`${path} cannot be the output file: ${messageOf(error)}.`)
}
