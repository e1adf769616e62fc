import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { vi } from 'vitest'
import { runProgram } from '../../src/cli/program.js'

export const root = join(import.meta.dirname, '../..')
const program = join(root, 'bin/kysely-durable-sqlite.js')

export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A directory of a user of the program, in which the packages of this repository are installed. */
export class CliProject implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'cli-project-'))

  constructor(files: Readonly<Record<string, string>> = {}) {
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      this.write(path, text)
    }
  }

  path(path: string): string {
    return join(this.directory, path)
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), text)
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  createDatabase(path: string, ...statements: readonly string[]): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    const database = new DatabaseSync(this.path(path), { enableDoubleQuotedStringLiterals: true })
    for (const statement of statements) {
      database.exec(statement)
    }
    database.close()
  }

  /** Runs the program as a process of its own, without a terminal. */
  spawn(...args: readonly string[]): Promise<Result> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [program, ...args],
        { cwd: this.directory, env: process.env },
        (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
      )
      child.stdin?.end()
    })
  }

  /** Runs the program in this process, which loads wrangler once. One at a time. */
  async run(...args: readonly string[]): Promise<Result> {
    const directory = process.cwd()
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    process.chdir(this.directory)
    try {
      const status = await runProgram(args)
      const written = (spy: typeof stdout): string => spy.mock.calls.map(([text]) => text).join('')
      return { status, stdout: written(stdout), stderr: written(stderr) }
    } finally {
      process.chdir(directory)
      stdout.mockRestore()
      stderr.mockRestore()
    }
  }

  /** The files of the directory, with a digest of each, and the other things in it. */
  files(): Record<string, string> {
    return Object.fromEntries(
      pathsIn(this.directory).map((path) => [relative(this.directory, path), digestOf(path)]),
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true })
  }
}

/** `readdirSync` would follow links when it is recursive. */
function pathsIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      return entry.isDirectory() ? [path, ...pathsIn(path)] : [path]
    })
}

function digestOf(path: string): string {
  const stats = lstatSync(path)
  return stats.isFile()
    ? createHash('sha256').update(readFileSync(path)).digest('hex')
    : `${stats.mode}`
}

/** A wrangler configuration with these classes, bound and made SQLite-backed. */
export function wranglerConfig(...classes: readonly string[]): string {
  return JSON.stringify({
    name: 'chat',
    main: 'src/index.ts',
    compatibility_date: '2026-04-06',
    durable_objects: {
      bindings: classes.map((name) => ({ name: name.toUpperCase(), class_name: name })),
    },
    migrations: [{ tag: 'v1', new_sqlite_classes: classes }],
  })
}
