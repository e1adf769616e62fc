import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startByNpm } from './wrangler-dev.ts'

export interface Example extends AsyncDisposable {
  readonly url: string
}

/** Runs `npm start` of an example until it is disposed of. Further options are wrangler's. */
export async function startExample(
  name: string,
  state: string,
  ...options: readonly string[]
): Promise<Example> {
  const { url, stop } = await startByNpm(
    join(import.meta.dirname, '../../examples', name),
    '--persist-to',
    state,
    ...options,
  )
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
