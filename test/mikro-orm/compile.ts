import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The step that MikroORM documents for runtimes without code generation. */
export default function compile(): void {
  execFileSync(
    'mikro-orm',
    [
      'compile',
      '--config',
      fileURLToPath(new URL('mikro-orm.config.ts', import.meta.url)),
      '--out',
      fileURLToPath(new URL('compiled-functions.js', import.meta.url)),
    ],
    { stdio: 'pipe' },
  )
}
