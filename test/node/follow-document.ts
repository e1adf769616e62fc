import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { type CodeBlock, codeBlocks } from './code-blocks.ts'
import { fileOf } from './document-modules.ts'
import { tarball } from './tarball.ts'
import { ANY_PORT, type DevServer, quietWrangler, startServer } from './wrangler-dev.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  devDependencies: Record<string, string>
}

/** Of a terminal: a server runs in one of its own until the end. */
const SERVER = /^(?:npm start|npx wrangler dev)\n$/m

/**
 * Does in a directory what a document says, block by block:
 *
 * - `ts file=src/index.ts` is written to that file.
 * - `sh` is run, in the directory that the block before it went to.
 * - `json answer` and `text answer` are what a terminal then shows. `…` stands for what differs each
 *   time, and alone on a line of text for any lines.
 * - `sh clone` is for a clone of this repository, and is left out.
 *
 * What is done is as written, but for the port of a server, and the sources of packages: this one is
 * the tarball, and the others have the versions of this repository. Returns the directory where it ends.
 */
export async function followDocument(
  document: string,
  {
    directory,
    until,
  }: {
    readonly directory: string
    /** A text in the document where to stop. Default: the end. */
    readonly until?: string
  },
): Promise<string> {
  const [text = ''] = readFileSync(join(root, document), 'utf8').split(until ?? '\0')
  let place = directory
  let output = ''
  let server: DevServer | undefined
  try {
    for (const block of codeBlocks(document, text)) {
      const file = fileOf(block)
      if (file !== undefined) {
        const path = join(place, file)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, block.code)
      } else if (block.flags.includes('answer')) {
        expectAnswer(output, block)
      } else if (block.language === 'sh' && !block.flags.includes('clone')) {
        const [command] = SERVER.exec(block.code) ?? []
        const commands = toCommands(block.code.replace(SERVER, ''), server)
        ;({ output, place } = await execute(commands, place))
        if (command !== undefined) {
          server = await startOnAnyPort(command.trim(), place)
        }
      }
    }
    return place
  } finally {
    await server?.stop()
  }
}

function expectAnswer(output: string, { document, line, language, code }: CodeBlock): void {
  if (language === 'json') {
    const expected: unknown = JSON.parse(code, (_, value: unknown) =>
      typeof value === 'string' && value.includes('…')
        ? expect.stringMatching(toPattern(value))
        : value,
    )
    expect(parsed(output), `${document}:${line}`).toEqual(expected)
  } else {
    // All of it is compared, so that a difference is shown line by line.
    const [shown, expected] = [output.trim(), code.trim()]
    const compared = toPattern(expected).test(shown) ? expected : shown
    expect(compared, `${document}:${line}`).toBe(expected)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function toPattern(text: string): RegExp {
  const pattern = text
    .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/^…(?:\n|$)/gm, String.raw`(?:.*(?:\n|$))*?`)
    .replaceAll('…', '[^"\n]+')
  return new RegExp(`^${pattern}$`)
}

/** Runs the commands, and tells what they show and where they went. */
async function execute(
  commands: string,
  directory: string,
): Promise<{ readonly output: string; readonly place: string }> {
  // In a terminal curl has no progress to show.
  const script = `exec 2>&1
curl() { command curl --silent --show-error "$@"; }
${commands}
printf '\\0%s' "$PWD"`
  try {
    const { stdout } = await run('bash', ['-euc', script], {
      cwd: directory,
      env: newcomer(),
      maxBuffer: 2 ** 24,
    })
    const [output = '', place = ''] = stdout.split('\0')
    return { output, place }
  } catch (error) {
    const { stdout } = error as { stdout: string }
    throw new Error(`${commands}\n${stdout}`, { cause: error })
  }
}

function startOnAnyPort(command: string, directory: string): Promise<DevServer> {
  const [name = '', ...words] = command.split(' ')
  if (name === 'npx') {
    return startServer(name, [...words, '--ip', '127.0.0.1', ...ANY_PORT], directory, newcomer())
  }
  const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const options = scripts['start']?.startsWith('vite') ? ['--port', '0'] : ANY_PORT
  return startServer(name, [...words, '--', ...options], directory, newcomer())
}

/** What a newcomer has: nothing of this repository's `npm run` and programs, but its Node.js. */
function newcomer(): NodeJS.ProcessEnv {
  const own = Object.entries(quietWrangler).filter(([name]) => !/^npm_(?!config)/.test(name))
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
  }
}

function toCommands(code: string, server: DevServer | undefined): string {
  return code
    .replaceAll(/^npm install .*$/gm, pinned)
    .replaceAll('localhost:8787', server === undefined ? '$&' : new URL(server.url).host)
}

function pinned(install: string): string {
  const words = install.split(' ').map((word) => {
    if (/^kysely-durable-sqlite(?:@latest)?$/.test(word)) {
      return tarball
    }
    const version = devDependencies[word]
    return version === undefined ? word : `${word}@${version}`
  })
  return `${words.join(' ')} --prefer-offline --no-audit --no-fund`
}
