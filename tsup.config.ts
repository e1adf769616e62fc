import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', migration: 'src/migration/index.ts' },
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  sourcemap: true,
  clean: true,
})
