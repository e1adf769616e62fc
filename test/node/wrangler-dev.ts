import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Of wrangler. */
export const ANY_PORT = ['--port', '0', '--inspector-port', '0']
const script = fileURLToPath(new URL('serve-worker.ts', import.meta.url))
const wrangler = fileURLToPath(new URL('../../node_modules/.bin/wrangler', import.meta.url))

export const quietWrangler = {
  ...process.env,
  CI: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_COLOR: '1',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_SEND_METRICS: 'false',
}

export interface DevServer {
  readonly url: string
  /** With SIGKILL nothing is put away: what the object has stored is all that is left. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
}

/** Starts `wrangler dev` in the directory, on a free port. Further options are wrangler's. */
export function startWranglerDev(
  directory: string,
  ...options: readonly string[]
): Promise<DevServer> {
  return startServer(wrangler, ['dev', '--ip', '127.0.0.1', ...ANY_PORT, ...options], directory)
}

/** Runs `npm start` in the directory, on a free port. Further options are wrangler's. */
export function startByNpm(directory: string, ...options: readonly string[]): Promise<DevServer> {
  return startServer('npm', ['start', '--silent', '--', ...ANY_PORT, ...options], directory)
}

/** Serves a Worker that was built, in plain workerd, which starts sooner than `wrangler dev`. */
export function serveWorker(directory: string, state: string): Promise<DevServer> {
  return startServer(process.execPath, [script, directory, state], directory)
}

/** Starts what says in its output where it listens. */
export async function startServer(
  command: string,
  words: readonly string[],
  directory: string,
  env: NodeJS.ProcessEnv = quietWrangler,
): Promise<DevServer> {
  // In a process group of its own, so that workerd ends with it.
  const child = spawn(command, words, {
    cwd: directory,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whoever holds the pipes has ended then, too.
  const closed = once(child, 'close')
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, signal)
    }
    await closed
  }
  try {
    return { url: await readyUrl(child), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function readyUrl(child: ChildProcess): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const [, url] = /(?:Ready on|Local:) +(http:\S+)/.exec(output) ?? []
      if (url !== undefined) {
        resolve(url)
      }
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => {
      reject(new Error(`The Worker did not start, and exited with ${code}:\n${output}`))
    })
  })
}
