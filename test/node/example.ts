import { cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { startByNpm } from './wrangler-dev.ts'

const examples = join(import.meta.dirname, '../../examples')

/** What `.gitignore` keeps out of a clone. */
const ignored = new Set(['.wrangler', 'compiled-functions.js', 'dist', 'node_modules'])

export interface Example extends AsyncDisposable {
  readonly url: string
}

/** Runs `npm start` of an example until it is disposed of. Further options are wrangler's. */
export async function startExample(
  name: string,
  state: string,
  ...options: readonly string[]
): Promise<Example> {
  const { url, stop } = await startByNpm(join(examples, name), '--persist-to', state, ...options)
  return { url, [Symbol.asyncDispose]: stop }
}

/** A directory for the state of a Worker, removed after the body. */
export async function withStateDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'example-'))
  try {
    await body(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

/** Copies what a clone of this repository has of an example. */
export function copyExample(name: string, to: string): void {
  const from = join(examples, name)
  cpSync(from, to, { recursive: true, filter: (path) => !ignored.has(basename(path)) })
}
