import { readFileSync } from 'node:fs'
import type { Finding } from '../finding.js'
import { tableMatcher } from '../generate-text.js'
import type { Project } from '../project.js'
import type { Snapshot } from '../sandbox/protocol.js'
import type { Sandbox } from '../sandbox/sandbox.js'
import type { Settings } from '../settings.js'
import { drizzleDifferences } from './drizzle-differences.js'
import { drizzleStatements } from './drizzle-schema.js'

interface Given {
  /** The schema, or the configuration of drizzle-kit. */
  readonly path: string
  /** What the migrations make. */
  readonly schema: Snapshot
  readonly settings: Pick<Settings, 'include' | 'exclude'>
}

/** Compares what drizzle-kit makes of the schema on an empty object with what the migrations make. */
export async function checkDrizzle(
  project: Project,
  sandbox: Sandbox,
  { path, schema, settings }: Given,
): Promise<Finding[]> {
  const { statements, files } = await drizzleStatements(project, await project.tools(), path)
  const failure = await sandbox.execute('drizzle', statements)
  if (failure !== undefined) {
    return [
      {
        file: path,
        line: 1,
        message: `SQLite refuses what drizzle-kit makes of the schema: ${failure.message}`,
      },
    ]
  }
  const differences = drizzleDifferences(
    await sandbox.snapshot('drizzle'),
    schema,
    tableMatcher(settings),
  )
  return differences.map(({ message, name }) => ({ ...placeOf(name, files), message }))
}

/** The line of the schema with the name of the table. */
function placeOf(name: string, files: readonly string[]): Pick<Finding, 'file' | 'line'> {
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n')
    const index = lines.findIndex((line) =>
      [`'${name}'`, `"${name}"`, `\`${name}\``].some((text) => line.includes(text)),
    )
    if (index !== -1) {
      return { file, line: index + 1 }
    }
  }
  return { file: files[0], line: 1 }
}
