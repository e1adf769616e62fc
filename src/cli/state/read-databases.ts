import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ownFile } from '../project.js'
import { UsageError } from '../usage-error.js'
import type { DatabaseContent } from './database-file.js'

/**
 * Milliseconds for one database. Views that are made of views can take SQLite for ever to describe, and
 * it cannot be interrupted: https://www.sqlite.org/security.html
 */
const TIMEOUT = 20_000

export type ReadResult = { readonly content: DatabaseContent } | { readonly error: string }

/** Reads the databases one after the other, in a process that is ended if one of them takes too long. */
export async function readDatabases(
  paths: readonly string[],
  timeout = TIMEOUT,
): Promise<readonly ReadResult[]> {
  const results: ReadResult[] = []
  while (results.length < paths.length) {
    await readUntilLate(paths.slice(results.length), timeout, results)
  }
  return results
}

export async function readOneDatabase(path: string): Promise<DatabaseContent> {
  const [result] = await readDatabases([path])
  if (result === undefined || 'error' in result) {
    throw new UsageError(result?.error ?? `${path} cannot be read.`)
  }
  return result.content
}

/** Adds a result for at least one of them. */
async function readUntilLate(
  paths: readonly string[],
  timeout: number,
  results: ReadResult[],
): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, ownFile('cli-reader.js')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(paths.map((path) => `${JSON.stringify(path)}\n`).join(''))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  for (const path of paths) {
    const line = await inTime(lines.next(), timeout)
    if (line === undefined || line.done === true) {
      results.push({ error: line === undefined ? tooLate(path, timeout) : died(path) })
      break
    }
    results.push(JSON.parse(line.value) as ReadResult)
  }
  await end(child)
}

function tooLate(path: string, timeout: number): string {
  return (
    `${path} cannot be read: SQLite did not describe its tables within ${timeout / 1000} s. ` +
    'Are there views that are made of views?'
  )
}

function died(path: string): string {
  return `${path} cannot be read: SQLite crashed.`
}

async function inTime<T>(promise: Promise<T>, timeout: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), timeout)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}
