import { statSync } from 'node:fs'
import type { TableSchema } from '../schema/introspect-schema.js'
import { generateText } from './generate-text.js'
import { migratedSchema } from './migrated-schema.js'
import { readOutputFile, writeOutputFile } from './output-file.js'
import type { Settings } from './settings.js'
import { chooseObject } from './state/choose-object.js'
import { readLocalObjects, stateDirectory } from './state/local-state.js'
import { readOneDatabase } from './state/read-databases.js'
import { note, writeOut } from './terminal.js'
import { UsageError } from './usage-error.js'

/** Does `kysely-durable-sqlite generate`, and returns the exit code. */
export async function generate(
  settings: Settings,
  { verify = false }: { readonly verify?: boolean } = {},
): Promise<number> {
  const { out } = settings
  if (verify && out === undefined) {
    throw new UsageError('--verify needs --out, the file to compare with.')
  }
  const text = generateText(await readTables(settings), settings)
  if (out === undefined) {
    writeOut(text)
    return 0
  }
  if (!verify) {
    writeOutputFile(out, text)
    return 0
  }
  if (isUpToDate(out, text)) {
    return 0
  }
  note(`${out} differs from what the database gives. Run the command without --verify.`)
  return 1
}

export function isUpToDate(out: string, text: string): boolean {
  // A checkout on Windows may have put carriage returns in.
  return readOutputFile(out)?.replaceAll('\r\n', '\n') === text
}

async function readTables(settings: Settings): Promise<readonly TableSchema[]> {
  const { database, migrations, class: className, object } = settings
  if (database === undefined && migrations !== undefined) {
    return migratedSchema(settings, migrations)
  }
  const path = database ?? '.'
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new UsageError(`There is no ${path}.`)
  }
  if (stats.isDirectory()) {
    return readState(path, className, object)
  }
  if (className !== undefined || object !== undefined) {
    throw new UsageError(`--class and --object choose from local state, and ${path} is a file.`)
  }
  return (await readOneDatabase(path)).tables
}

async function readState(
  directory: string,
  className: string | undefined,
  object: string | undefined,
): Promise<readonly TableSchema[]> {
  const root = stateDirectory(directory)
  const objects = await readLocalObjects(root, { className, object })
  const { tables, others } = chooseObject(objects, root)
  for (const { workerAndClass, objectId, content } of others) {
    const applied = content?.journal?.length ?? 0
    note(
      `${workerAndClass} ${objectId} has another schema, with ${applied} migrations applied, and is left out.`,
    )
  }
  return tables
}
