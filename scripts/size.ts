import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

interface Size {
  readonly minified: number
  readonly gzipped: number
}

/** The bytes that the code adds to a Worker, minified, without kysely and drizzle-orm. */
async function measure(code: string): Promise<Size> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['kysely', 'drizzle-orm', 'cloudflare:workers'],
    // Without the paths of tsconfig.json, which lead some entries to the sources and others not.
    tsconfigRaw: {},
  })
  const contents = Buffer.concat(outputFiles.map((file) => file.contents))
  return { minified: contents.length, gzipped: gzipSync(contents).length }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string
  exports: Record<string, unknown>
}
const dialect = `import { DurableObjectSqliteDialect } from '${name}'; console.log(DurableObjectSqliteDialect)`
const core = await measure(dialect)
const worker = await measure(`export { RemoteDurableObjectDialect } from '${name}/remote'`)

console.log('Bytes that an import adds to a Worker, minified, without kysely and drizzle-orm:')
console.table({
  'the dialect of .': { minified: kilobytes(core.minified), gzipped: kilobytes(core.gzipped) },
  'the dialect of ./remote': {
    minified: kilobytes(worker.minified),
    gzipped: kilobytes(worker.gzipped),
  },
  ...Object.fromEntries(
    await Promise.all(
      Object.keys(exports)
        .filter((entry) => !entry.endsWith('.json'))
        .map(async (entry) => {
          const everything = `export * from '${name}${entry.slice(1)}'`
          const alone = await measure(everything)
          const added = await measure(`${dialect}; ${everything}`)
          return [
            `all of ${entry}`,
            {
              minified: kilobytes(alone.minified),
              gzipped: kilobytes(alone.gzipped),
              'on top of the dialect': kilobytes(added.gzipped - core.gzipped),
            },
          ]
        }),
    ),
  ),
})
