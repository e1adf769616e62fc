import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url).pathname

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted()
}

/** The folders of src/ whose code a bundle of this import has, and the packages that it leaves to the Worker. */
async function bundled(code: string): Promise<{ folders: string[]; packages: string[] }> {
  const { metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    external: ['cloudflare:workers', 'drizzle-orm', 'kysely'],
    tsconfigRaw: {},
  })
  const outputs = Object.values(metafile.outputs)
  const folders = outputs
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([path, { bytesInOutput }]) => path.startsWith('src/') && bytesInOutput > 0)
    .map(([path]) => path.split('/').at(1) ?? path)
  const packages = outputs.flatMap(({ imports }) => imports.map(({ path }) => path))
  return { folders: unique(folders), packages: unique(packages) }
}

it('should add nothing of an entry, or of a part of the main one, that is not imported', async () => {
  const { folders } = await bundled(`export { DurableObjectSqliteDialect } from './src/index.ts'`)
  expect(folders).toEqual(['compiler', 'dialect', 'platform', 'schema', 'statement', 'transaction'])
})

it('should need no package but kysely, and drizzle-orm for its own entry', async () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  ) as Record<string, Record<string, unknown> | undefined>
  expect(dependencies).toBeUndefined()
  expect(Object.keys(peerDependencies ?? {})).toEqual(['drizzle-orm', 'kysely'])
  expect(peerDependenciesMeta).toEqual({ 'drizzle-orm': { optional: true } })

  const packagesOf = async (entry: string): Promise<string[]> =>
    (await bundled(`export * from './src/${entry}'`)).packages
  expect(await packagesOf('index.ts')).toEqual(['kysely'])
  expect(await packagesOf('columns/index.ts')).toEqual(['kysely'])
  expect(await packagesOf('cost/index.ts')).toEqual(['kysely'])
  expect(await packagesOf('migration/index.ts')).toEqual(['kysely'])
  expect(await packagesOf('remote/index.ts')).toEqual(['cloudflare:workers', 'kysely'])
  expect(await packagesOf('drizzle/index.ts')).toContain('drizzle-orm')
})
