import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const outfile = join(root, `node_modules/.cache/fuzz-${process.pid}.mjs`)

const { values } = parseArgs({
  options: {
    /** How many queries. */
    runs: { type: 'string', default: '10000' },
    /** Of a run to repeat. */
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    /** The choices of one query to look at, as a mismatch prints them. */
    query: { type: 'string' },
  },
})

await build({
  entryPoints: [join(root, 'test/node/fuzz.ts')],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
const { Fuzzer } = (await import(outfile)) as typeof import('../test/node/fuzz.ts')

const started = Date.now()
let printed = started

function print(): void {
  printed = Date.now()
  const figures = Object.entries(fuzzer.figures).map(([name, figure]) => `${figure} ${name}`)
  console.log(`${figures.join(', ')} (${Math.round((printed - started) / 1000)} s)`)
}

const fuzzer = await Fuzzer.start(root)
try {
  if (values.query === undefined) {
    console.log(`seed ${values.seed}`)
    await fuzzer.run({
      runs: Number(values.runs),
      seed: Number(values.seed),
      onProgress() {
        if (Date.now() - printed > 10_000) {
          print()
        }
      },
    })
  } else {
    console.log((await fuzzer.compare([JSON.parse(values.query) as number[]])).join('\n\n'))
  }
} finally {
  print()
  await fuzzer[Symbol.asyncDispose]()
}
