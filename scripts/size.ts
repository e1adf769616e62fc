import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** What an import of the built package adds to a Worker, minified, without kysely. */
async function measure(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['kysely'],
  })
  const contents = Buffer.concat(outputFiles.map((file) => file.contents))
  return `${kilobytes(contents.length)} minified, ${kilobytes(gzipSync(contents).length)} gzipped`
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

console.log(
  `The dialect: ${await measure("export { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'")}`,
)
console.log(`Everything: ${await measure("export * from 'kysely-durable-sqlite'")}`)
console.log(`With migrations: ${await measure("export * from 'kysely-durable-sqlite/migration'")}`)
console.log(`With ./cost: ${await measure("export * from 'kysely-durable-sqlite/cost'")}`)
