import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: {
      columns: 'src/columns/index.ts',
      cost: 'src/cost/index.ts',
      drizzle: 'src/drizzle/index.ts',
      index: 'src/index.ts',
      migration: 'src/migration/index.ts',
    },
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    sourcemap: true,
    // Both builds write to the directory at the same time.
    clean: ['!cli.js'],
  },
  {
    entry: { cli: 'src/cli/main.ts' },
    format: 'esm',
    target: 'node20',
    platform: 'node',
    // `node:sqlite` has no other name.
    removeNodeProtocol: false,
  },
])
