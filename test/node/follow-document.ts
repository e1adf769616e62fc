import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { type CodeBlock, codeBlocks } from './code-blocks.ts'
import { fileOf } from './document-modules.ts'
import { type DevServer, quietWrangler, startWranglerDev } from './wrangler-dev.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  devDependencies: Record<string, string>
}

/**
 * Does in an empty directory what a document says, block by block: writes the files
 * (`ts file=src/index.ts`), runs the commands (`sh`), and compares what they print with the block that
 * follows (`json answer`). `npx wrangler dev` runs on a free port until the end.
 *
 * Only the sources of packages are others than written: this one is the tarball, and the rest have the
 * versions of this repository.
 */
export async function followDocument(
  document: string,
  {
    directory,
    tarball,
    until,
  }: {
    readonly directory: string
    readonly tarball: string
    /** A text in the document where to stop. Default: the end. */
    readonly until?: string
  },
): Promise<void> {
  const [text = ''] = readFileSync(join(root, document), 'utf8').split(until ?? '\0')
  const blocks = codeBlocks(document, text)
  let server: DevServer | undefined
  try {
    for (const [index, block] of blocks.entries()) {
      const file = fileOf(block)
      if (file !== undefined) {
        const path = join(directory, file)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, block.code)
      } else if (block.language === 'sh' && block.code.trim() === 'npx wrangler dev') {
        server = await startWranglerDev(directory)
      } else if (block.language === 'sh') {
        const output = await execute(toCommands(block, tarball, server), directory)
        const answer = blocks[index + 1]
        if (answer?.flags.includes('answer')) {
          expect(parsed(output, answer), `${document}:${answer.line}`).toEqual(
            parsed(answer.code, answer),
          )
        }
      }
    }
  } finally {
    await server?.stop()
  }
}

/** JSON may be laid out in another way. */
function parsed(text: string, { language }: CodeBlock): unknown {
  return language === 'json' ? JSON.parse(text) : text.trim()
}

async function execute(commands: string, directory: string): Promise<string> {
  try {
    const { stdout } = await run('bash', ['-euc', commands], { cwd: directory, env: environment() })
    return stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${commands}\n${stdout}\n${stderr}`, { cause: error })
  }
}

/** As a newcomer has it: nothing of this repository's `npm run`. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(quietWrangler).filter(([name]) => !/^npm_(?!config)/.test(name))
  return Object.fromEntries(own)
}

function toCommands({ code }: CodeBlock, tarball: string, server: DevServer | undefined): string {
  return code
    .replaceAll(/^npm install .*$/gm, (line) => pinned(line, tarball))
    .replaceAll(/(?:http:\/\/)?localhost:8787/g, server?.url.replace(/\/$/, '') ?? '')
}

function pinned(install: string, tarball: string): string {
  const words = install.split(' ').map((word) => {
    if (word === 'kysely-durable-sqlite') {
      return tarball
    }
    const version = devDependencies[word]
    return version === undefined ? word : `${word}@${version}`
  })
  return `${words.join(' ')} --prefer-offline --no-audit --no-fund`
}
