/**
 * Measures the workloads in real workerd: `npm run bench` in the root of the repository, or
 * `npm run bench -- insert` for those whose file names contain `insert`.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { BenchRequest, WorkloadDescription } from '../protocol.ts'
import { drawChart } from './chart.ts'
import type { Measurement } from './measurement.ts'

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

const WARM_UP_ROUNDS = 2
/** Milliseconds for the rounds of one workload. */
const BUDGET = 11_000
const MIN_ROUNDS = 7
const MAX_ROUNDS = 51

/** The workloads whose file names contain one of the words, all if there are none. */
function findWorkloads(words: readonly string[]): string[] {
  return readdirSync(here('workloads'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .toSorted()
}

async function bundleWorker(names: readonly string[]): Promise<string> {
  const imports = names.map((name, index) => `import w${index} from './workloads/${name}.ts'`)
  const entries = names.map((name, index) => `${JSON.stringify(name)}: [w${index}].flat()`)
  const { outputFiles } = await build({
    entryPoints: [here('worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker'],
    external: ['cloudflare:workers'],
    // What a user installs, and one Kysely for all.
    alias: {
      'kysely-durable-sqlite/columns': here('../dist/columns.js'),
      'kysely-durable-sqlite/cost': here('../dist/cost.js'),
      'kysely-durable-sqlite/migration': here('../dist/migration.js'),
      'kysely-durable-sqlite/remote': here('../dist/remote.js'),
      'kysely-durable-sqlite': here('../dist/index.js'),
      'kysely/migration': here('../node_modules/kysely/dist/migration/index.js'),
      kysely: here('../node_modules/kysely'),
    },
    plugins: [
      {
        name: 'workloads',
        setup(build) {
          build.onResolve({ filter: /^bench:workloads$/ }, () => ({
            path: 'all',
            namespace: 'workloads',
          }))
          build.onLoad({ filter: /^all$/, namespace: 'workloads' }, () => ({
            contents: `${imports.join('\n')}\nexport const files = { ${entries.join(', ')} }`,
            resolveDir: here('.'),
          }))
        },
      },
    ],
  })
  return outputFiles[0]!.text
}

/** Sends a request to the worker, and returns the text of the answer and the milliseconds it took. */
type Send = (request: BenchRequest) => Promise<{ text: string; time: number }>

function sendTo(miniflare: Miniflare): Send {
  return async (request) => {
    const body = JSON.stringify(request)
    const start = performance.now()
    const response = await miniflare.dispatchFetch('http://bench/', { method: 'POST', body })
    const text = await response.text()
    const time = performance.now() - start
    if (!response.ok) {
      throw new Error(`${request.workload}, ${request.variant}: ${text}`)
    }
    return { text, time }
  }
}

function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q
  const lower = sorted[Math.floor(position)]!
  return lower + (sorted[Math.ceil(position)]! - lower) * (position % 1)
}

async function measure(
  { name, title, operations, variants }: WorkloadDescription,
  send: Send,
): Promise<Measurement> {
  const times = new Map<string, number[]>(variants.map((variant) => [variant, []]))
  const start = performance.now()
  let rounds = -WARM_UP_ROUNDS
  while (rounds < MIN_ROUNDS || (rounds < MAX_ROUNDS && performance.now() - start < BUDGET)) {
    // Every variant has every place in the order once in a while.
    const offset = (rounds + WARM_UP_ROUNDS) % variants.length
    for (const variant of [...variants.slice(offset), ...variants.slice(0, offset)]) {
      const request = { workload: name, variant }
      await send({ ...request, action: 'setup' })
      const { time } = await send({ ...request, action: 'run' })
      if (rounds >= 0) {
        times.get(variant)!.push(time)
      }
    }
    rounds++
  }
  await assertSameOutcome(name, variants, send)
  const base = times.get(variants[0]!)!
  const ratios = variants.map((variant) => {
    const sorted = times
      .get(variant)!
      .map((time, round) => time / base[round]!)
      .toSorted((a, b) => a - b)
    return {
      variant,
      low: quantile(sorted, 0.25),
      median: quantile(sorted, 0.5),
      high: quantile(sorted, 0.75),
    }
  })
  return {
    title,
    rounds,
    base:
      (quantile(
        base.toSorted((a, b) => a - b),
        0.5,
      ) *
        1000) /
      operations,
    ratios,
  }
}

async function assertSameOutcome(
  workload: string,
  variants: readonly string[],
  send: Send,
): Promise<void> {
  const outcomes = new Map<string, string>()
  for (const variant of variants) {
    outcomes.set(variant, (await send({ action: 'check', workload, variant })).text)
  }
  if (new Set(outcomes.values()).size > 1) {
    throw new Error(
      `${workload}: the variants did different things.\n${JSON.stringify([...outcomes], null, 2)}`,
    )
  }
}

function printMeasurement({ title, rounds, base, ratios }: Measurement): void {
  console.log(`\n${title} (${rounds} rounds, ${ratios[0]!.variant} takes ${base.toFixed(2)} µs)`)
  for (const { variant, low, median, high } of ratios) {
    console.log(
      `  ${variant.padEnd(20)} ${median.toFixed(2).padStart(6)}   ${low.toFixed(2)} to ${high.toFixed(2)}`,
    )
  }
}

function versionOf(name: string, from: string): string {
  const { version } = JSON.parse(
    readFileSync(here(`${from}/node_modules/${name}/package.json`), 'utf8'),
  ) as { version: string }
  return `${name} ${version}`
}

/** Where the objects are stored: in memory where the system has that, so that no disk is measured. */
function stateRoot(): string {
  const memory = '/dev/shm'
  return existsSync(memory) ? memory : tmpdir()
}

/** The machine and the versions. */
function describeRun(): string {
  return [
    `${cpus().length} × ${cpus()[0]!.model.trim()}, ${process.platform}`,
    versionOf('workerd', '..'),
    versionOf('kysely', '..'),
    versionOf('kysely-do', '.'),
    versionOf('drizzle-orm', '.'),
  ].join(', ')
}

async function main(): Promise<void> {
  const words = process.argv.slice(2)
  const names = findWorkloads(words)
  const measurements: Measurement[] = []
  const summary: Measurement[] = []
  const directory = mkdtempSync(join(stateRoot(), 'kysely-durable-sqlite-bench-'))
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      modules: true,
      script: await bundleWorker(names),
      compatibilityDate: '2026-04-06',
      durableObjects: { OBJECT: { className: 'BenchObject', useSQLite: true } },
    }),
    resourcePersistencePath: directory,
  })
  try {
    console.log(describeRun())
    const send = sendTo(miniflare)
    const { text } = await send({ action: 'list', workload: '', variant: '' })
    const workloads = (JSON.parse(text) as WorkloadDescription[])
      .filter(({ onlyByName }) => words.length > 0 || !onlyByName)
      .toSorted((a, b) => a.order - b.order)
    for (const workload of workloads) {
      const measurement = await measure(workload, send)
      printMeasurement(measurement)
      measurements.push(measurement)
      if (workload.inSummary) {
        summary.push(measurement)
      }
    }
    if (words.length === 0) {
      writeFileSync(here('results.svg'), drawChart(describeRun(), measurements))
      writeFileSync(here('summary.svg'), drawChart(describeRun(), summary, { columns: 2 }))
    }
  } finally {
    await miniflare.dispose()
    rmSync(directory, { recursive: true })
  }
}

await main()
