import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

// Starts the Worker on a free port of this machine with the first version of its schema, opens
// accounts, starts it anew with all migrations, drives it over HTTP as many clients at once, and checks
// that no money was made or lost. Exits with 1 if some was.

const OWNERS = ['Ada', 'Grace', 'Barbara', 'Margaret', 'Radia']
const OPENING_DEPOSIT = 1000
const TRANSFERS = 300
const CONCURRENT = 20

interface Account {
  readonly id: number
  readonly owner: string
  readonly balance: number
}

const state = await mkdtemp(join(tmpdir(), 'basic-worker-'))

try {
  console.log('Starting the Worker with the first version of its schema …')
  await withWorker(['--var', 'MIGRATE_TO:0001_accounts'], async (url) => {
    await printMigrations(url)
    await openAccounts(url)
  })
  console.log('\nStarting the Worker with all migrations …')
  process.exitCode = await withWorker([], async (url) => {
    await printMigrations(url)
    return drive(url)
  })
} finally {
  await rm(state, { recursive: true, force: true })
}

async function withWorker<T>(args: string[], body: (url: string) => Promise<T>): Promise<T> {
  const wrangler = spawn(
    'wrangler',
    [
      'dev',
      '--ip',
      '127.0.0.1',
      '--port',
      '0',
      '--inspector-port',
      '0',
      '--persist-to',
      state,
      ...args,
    ],
    {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_HIDE_BANNER: 'true',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        CI: 'true',
      },
    },
  )
  const stopped = new Promise<void>((resolve) => {
    wrangler.once('exit', () => resolve())
  })
  try {
    const url = await ready(wrangler)
    console.log(`It listens on ${url}\n`)
    return await body(url)
  } finally {
    wrangler.kill()
    await stopped
    console.log('Stopped the Worker.')
  }
}

function ready(wrangler: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    wrangler.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const url = /Ready on (http:\S+)/.exec(output)?.[1]
      if (url !== undefined) {
        resolve(url)
      }
    })
    wrangler.once('error', reject)
    wrangler.once('exit', () => reject(new Error(`The Worker did not start:\n${output}`)))
  })
}

async function printMigrations(url: string): Promise<void> {
  const response = await fetch(new URL('/migrations', url))
  for (const { name, state } of (await response.json()) as { name: string; state: string }[]) {
    console.log(`  ${name.padEnd(20)} ${state}`)
  }
}

async function openAccounts(url: string): Promise<void> {
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) })
  for (const owner of OWNERS) {
    const { id } = (await (await post('/accounts', { owner })).json()) as { id: number }
    await post(`/accounts/${id}/deposits`, { amount: OPENING_DEPOSIT })
  }
}

async function drive(url: string): Promise<0 | 1> {
  const get = async (path: string): Promise<Response> => fetch(new URL(path, url))
  const post = async (path: string, body: unknown): Promise<Response> =>
    fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) })
  const accounts = async (): Promise<Account[]> =>
    (await get('/accounts')).json() as Promise<Account[]>

  const before = await accounts()
  print('\nBalances before:', before)

  let done = 0
  let refused = 0
  const transfer = async (i: number): Promise<void> => {
    const from = before.at(i % before.length)?.id
    const to = before.at((i * 3 + 1) % before.length)?.id
    // Every seventh asks for more than there is, every fiftieth is to an account that does not exist.
    const amount = i % 7 === 0 ? 1_000_000 : (i * 37) % 250
    const response = await post('/transfers', { from, to: i % 50 === 0 ? 999 : to, amount })
    done += 1
    if (response.status === 409) {
      refused += 1
    } else if (response.status !== 201) {
      throw new Error(`${response.status} ${await response.text()}`)
    }
    if (done % 50 === 0) {
      console.log(`${done} of ${TRANSFERS} transfers sent, ${refused} refused`)
    }
  }
  const waiting = Array.from({ length: TRANSFERS }, (_, i) => i + 1).values()
  await Promise.all(
    Array.from({ length: CONCURRENT }, async () => {
      for (const i of waiting) {
        await transfer(i)
      }
    }),
  )

  const after = await accounts()
  print('\nBalances after:', after)

  const expected = OWNERS.length * OPENING_DEPOSIT
  const total = sum(after.map(({ balance }) => balance))
  const overdrawn = after.filter(({ balance }) => balance < 0)
  const wrong: string[] = []
  for (const { id, owner, balance } of after) {
    const history = await (await get(`/accounts/${id}/history`)).text()
    const lines = history.trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as { amount: number })
    if (sum(entries.map(({ amount }) => amount)) !== balance) {
      wrong.push(owner)
    }
  }
  console.log(`\nPaid in: ${expected}. In the accounts: ${total}. Refused transfers: ${refused}.`)
  if (total !== expected || overdrawn.length > 0 || wrong.length > 0 || refused === 0) {
    console.log(
      `The sums are off. Overdrawn: ${overdrawn.length}. Wrong histories: ${wrong.length}.`,
    )
    return 1
  }
  console.log('No money was made or lost, and every history adds up to its balance.')
  return 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function print(title: string, accounts: readonly Account[]): void {
  console.log(title)
  for (const { owner, balance } of accounts) {
    console.log(`  ${owner.padEnd(10)} ${String(balance).padStart(6)}`)
  }
  console.log(
    `  ${'Sum'.padEnd(10)} ${String(sum(accounts.map(({ balance }) => balance))).padStart(6)}\n`,
  )
}
