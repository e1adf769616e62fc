import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const outfile = join(root, `node_modules/.cache/fuzz-${process.pid}.mjs`)

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    tape: { type: 'string' },
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
const { fuzz } = (await import(outfile)) as typeof import('../test/node/fuzz.ts')

const started = Date.now()
let shown = started
const figures = await fuzz({
  root,
  runs: Number(values.runs),
  seed: values.seed === undefined ? undefined : Number(values.seed),
  examples: values.tape === undefined ? [] : [JSON.parse(values.tape) as number[]],
  onProgress(figures) {
    if (Date.now() - shown > 10_000) {
      shown = Date.now()
      console.log(JSON.stringify(figures))
    }
  },
})
console.log(`${JSON.stringify(figures)}: no mismatch, ${Date.now() - started} ms`)
