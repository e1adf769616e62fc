import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { copyExample } from './example.ts'
import { type DevServer, quietWrangler, serveWorker } from './wrangler-dev.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const example = `${root}examples/multi-tenant`

/** The example as `vite build` makes it, in a directory of its own, with a place for its state. */
export interface Application extends AsyncDisposable {
  /** Where the objects are stored. */
  readonly state: string
  readonly start: () => Promise<DevServer>
}

export async function buildApplication(): Promise<Application> {
  // Of a copy: `vite build` also leaves what `wrangler deploy` reads. In the repository, where the
  // packages are found.
  await mkdir(`${root}.wrangler`, { recursive: true })
  const directory = await mkdtemp(`${root}.wrangler/multi-tenant-`)
  copyExample('multi-tenant', `${directory}/source`)
  await promisify(execFile)(
    `${root}node_modules/.bin/vite`,
    ['build', '--outDir', `${directory}/dist`, '--emptyOutDir', '--logLevel', 'error'],
    { cwd: `${directory}/source`, env: quietWrangler },
  )
  const state = `${directory}/state`
  return {
    state,
    start: () => serveWorker(`${directory}/dist/multi_tenant`, state),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

export interface Task {
  readonly id: string
  readonly title: string
  readonly done: boolean
  readonly due_at: string | null
  readonly labels: readonly string[]
  readonly created_at: string
  readonly updated_at: string
}

export interface LiveMessage {
  readonly tasks: readonly Task[]
  readonly gone: readonly string[]
}

const PASSWORD = 'correct horse'

/** A browser without a page: it keeps the cookie that the Worker sets. */
export class Client {
  /** As better-auth told them to whoever signed up. */
  tenantId = ''
  userId = ''

  constructor(
    readonly url: string,
    public cookie = '',
  ) {}

  static async signUp(url: string, name: string): Promise<Client> {
    const client = new Client(url)
    await client.#authenticate('sign-up', { name, email: `${name}@example.com` })
    return client
  }

  static async signIn(url: string, name: string): Promise<Client> {
    const client = new Client(url)
    await client.#authenticate('sign-in', { email: `${name}@example.com` })
    return client
  }

  async send(method: string, path: string, body?: unknown, headers = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(new URL(path, this.url), {
      method,
      headers: {
        origin: this.url,
        'content-type': 'application/json',
        cookie: this.cookie,
        ...headers,
      },
      ...(text !== undefined && { body: text }),
    })
  }

  /** The status and the JSON of the answer. */
  async ask(method: string, path: string, body?: unknown, headers = {}): Promise<unknown[]> {
    const response = await this.send(method, path, body, headers)
    const text = await response.text()
    return [response.status, text.startsWith('{') ? JSON.parse(text) : text]
  }

  /** The value of an action. Throws if it was refused. */
  async act<T>(name: string, args: unknown): Promise<T> {
    const [status, answer] = await this.ask('POST', `/actions/${name}`, args)
    if (status !== 200) {
      throw new Error(`${name}: ${String(status)} ${JSON.stringify(answer)}`)
    }
    return (answer as { value: T }).value
  }

  addTask(title: string): Promise<Task> {
    return this.act('addTask', { title })
  }

  async tasks(): Promise<Task[]> {
    const lines = await (await this.send('GET', '/export')).text()
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Task)
  }

  watch(headers = {}): Promise<Live> {
    return Live.open(`${this.url.replace('http', 'ws')}/live`, {
      origin: this.url,
      cookie: this.cookie,
      ...headers,
    })
  }

  async #authenticate(how: string, who: object): Promise<void> {
    const response = await this.send('POST', `/api/auth/${how}/email`, {
      ...who,
      password: PASSWORD,
    })
    if (!response.ok) {
      throw new Error(`${how}: ${response.status} ${await response.text()}`)
    }
    const { user } = (await response.json()) as { user: { id: string; tenantId: string } }
    this.userId = user.id
    this.tenantId = user.tenantId
    this.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  }
}

/** A live list, and what it was told. */
export class Live {
  readonly messages: LiveMessage[] = []
  readonly closed: Promise<number>
  readonly #socket: WebSocket
  #arrived = Promise.withResolvers<void>()

  static async open(url: string, headers: Record<string, string>): Promise<Live> {
    // Node's WebSocket takes headers; TypeScript knows the one of browsers.
    const socket = new WebSocket(url, { headers } as unknown as string)
    const live = new Live(socket)
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', () => reject(new Error('The socket was refused.')))
    })
    return live
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      this.messages.push(JSON.parse(String(data)) as LiveMessage)
      this.#arrived.resolve()
      this.#arrived = Promise.withResolvers()
    })
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code }) => resolve(code))
    })
  }

  /** Waits until so many messages have come. */
  async until(count: number): Promise<readonly LiveMessage[]> {
    while (this.messages.length < count) {
      await this.#arrived.promise
    }
    return this.messages
  }

  send(text: string): void {
    this.#socket.send(text)
  }

  close(): void {
    this.#socket.close()
  }
}
