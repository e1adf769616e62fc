import { statSync } from 'node:fs'
import { generateKyselyDbInterface } from '../codegen/generate.js'
import { DatabaseFile } from './database-file.js'
import { findLocalDatabase } from './local-state.js'
import { readOutputFile, writeOutputFile } from './output-file.js'
import { UsageError } from './usage-error.js'

/** What `kysely-durable-sqlite generate` was asked for. */
export interface GenerateArguments {
  /** A SQLite file, or a directory with local state. */
  readonly path: string
  readonly className: string | undefined
  readonly object: string | undefined
  /** Standard output if undefined. */
  readonly out: string | undefined
  readonly verify: boolean
  readonly camelCase: boolean
  readonly interfaceName: string | undefined
}

/** Does it, and returns the exit code. */
export async function generate(args: GenerateArguments): Promise<number> {
  const { out, verify } = args
  if (verify && out === undefined) {
    throw new UsageError('--verify needs --out, the file to compare with.')
  }
  const text = await generateText(args)
  if (out === undefined) {
    process.stdout.write(text)
    return 0
  }
  if (!verify) {
    writeOutputFile(out, text)
    return 0
  }
  if (withoutCarriageReturns(readOutputFile(out)) === text) {
    return 0
  }
  process.stderr.write(
    `${out} differs from what the database gives. Run the command without --verify.\n`,
  )
  return 1
}

async function generateText({
  path,
  className,
  object,
  camelCase,
  interfaceName,
}: GenerateArguments): Promise<string> {
  const file = await DatabaseFile.open(await findDatabase(path, { className, object }))
  try {
    return generateKyselyDbInterface(file.readSchema(), {
      camelCase,
      ...(interfaceName !== undefined && { interfaceName }),
    })
  } finally {
    file.close()
  }
}

async function findDatabase(
  path: string,
  selection: Pick<GenerateArguments, 'className' | 'object'>,
): Promise<string> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new UsageError(`There is no ${path}.`)
  }
  if (stats.isDirectory()) {
    return findLocalDatabase(path, selection)
  }
  if (selection.className !== undefined || selection.object !== undefined) {
    throw new UsageError(`--class and --object choose from local state, and ${path} is a file.`)
  }
  return path
}

/** A checkout on Windows may have put them in. */
function withoutCarriageReturns(text: string | undefined): string | undefined {
  return text?.replaceAll('\r\n', '\n')
}
