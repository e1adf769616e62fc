import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

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
  readonly stop: () => Promise<void>
}

/** Starts `wrangler dev` in the directory, on a free port. Further options are wrangler's. */
export function startWranglerDev(
  directory: string,
  ...options: readonly string[]
): Promise<DevServer> {
  return startServer(wrangler, ['dev', '--ip', '127.0.0.1'], directory, options)
}

/** Runs `npm start` in the directory, on a free port. Further options are wrangler's. */
export function startByNpm(directory: string, ...options: readonly string[]): Promise<DevServer> {
  return startServer('npm', ['start', '--silent', '--'], directory, options)
}

async function startServer(
  command: string,
  words: readonly string[],
  directory: string,
  options: readonly string[],
): Promise<DevServer> {
  // In a process group of its own, so that workerd ends with it.
  const child = spawn(command, [...words, '--port', '0', '--inspector-port', '0', ...options], {
    cwd: directory,
    env: quietWrangler,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whoever holds the pipes has ended then, too.
  const closed = once(child, 'close')
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid)
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
      const [, url] = /Ready on (http:\S+)/.exec(output) ?? []
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
