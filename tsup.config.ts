import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'
import { defineConfig } from 'tsup'
import { configJsonSchema } from './src/cli/config-schema.js'

/** Writes the licenses of what is bundled beside it. */
const licenses: Plugin = {
  name: 'licenses',
  setup(build) {
    build.initialOptions.metafile = true
    build.onEnd(({ metafile }) => {
      const packages = Object.keys(metafile?.inputs ?? {}).flatMap(
        (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
      )
      const texts = [...new Set(packages)].toSorted().map((name) => {
        const directory = `node_modules/${name}`
        const license = readdirSync(directory).find((file) => /^licen[cs]e/i.test(file))
        if (license === undefined) {
          throw new Error(`${name} has no license file.`)
        }
        return `${name}\n\n${readFileSync(`${directory}/${license}`, 'utf8').trim()}\n`
      })
      writeFileSync('dist/cli.LICENSES.txt', texts.join('\n---\n\n'))
    })
  },
}

export default defineConfig([
  {
    entry: { index: 'src/index.ts', migration: 'src/migration/index.ts' },
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    sourcemap: true,
    // All builds write to the directory at the same time.
    clean: ['!cli*.js'],
  },
  {
    entry: { cli: 'src/cli/main.ts', 'cli-reader': 'src/cli/state/reader.ts' },
    format: 'esm',
    target: 'node22',
    platform: 'node',
    // `node:sqlite` has no other name.
    removeNodeProtocol: false,
    splitting: false,
    // In one file each: the program has no dependencies of its own when it is installed.
    noExternal: [/./],
    external: ['kysely'],
    esbuildPlugins: [licenses],
    async onSuccess() {
      writeFileSync('config-schema.json', `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
    },
  },
  {
    // What the program runs in workerd, bundled there with the user's Kysely.
    entry: { 'cli-worker': 'src/cli/sandbox/worker.ts' },
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
  },
])
