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
  stop(): Promise<void>
}

/** Starts `wrangler dev` as `npm start` of an example does, on a free port. */
export async function startWranglerDev(
  directory: string,
  stateDirectory: string,
): Promise<DevServer> {
  // In a process group of its own, so that workerd ends with it.
  const child = spawn(
    wrangler,
    [
      'dev',
      '--ip',
      '127.0.0.1',
      '--port',
      '0',
      '--inspector-port',
      '0',
      '--persist-to',
      stateDirectory,
    ],
    { cwd: directory, env: quietWrangler, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  try {
    return { url: await readyUrl(child), stop: () => stop(child) }
  } catch (error) {
    await stop(child)
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
    child.once('exit', (code) => {
      reject(new Error(`wrangler dev exited with ${code}:\n${output}`))
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null) {
    process.kill(-child.pid)
    await once(child, 'exit')
  }
}
