import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Example extends AsyncDisposable {
  readonly url: string
}

/**
 * Runs `npm start` in the directory of an example, on a free port, until it is disposed of. Further
 * options are wrangler's.
 */
export async function startExample(
  name: string,
  state: string,
  ...options: readonly string[]
): Promise<Example> {
  const npm = spawn(
    'npm',
    [
      'start',
      '--silent',
      '--',
      '--port',
      '0',
      '--inspector-port',
      '0',
      '--persist-to',
      state,
      ...options,
    ],
    {
      cwd: join(import.meta.dirname, '../../examples', name),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that wrangler ends with npm.
      detached: true,
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_HIDE_BANNER: 'true',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        CI: 'true',
      },
    },
  )
  const closed = new Promise<void>((resolve) => {
    // Wrangler holds the same pipes, so that this is its end, too.
    npm.once('close', () => resolve())
  })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const ready = /Ready on (http:\S+)/.exec(output)?.[1]
      if (ready !== undefined) {
        resolve(ready)
      }
    }
    npm.stdout.on('data', read)
    npm.stderr.on('data', read)
    npm.once('error', reject)
    npm.once('exit', () => reject(new Error(`The example did not start:\n${output}`)))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      process.kill(-npm.pid!, 'SIGTERM')
      await closed
    },
  }
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
