import { build, type BuildOptions } from 'esbuild'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The script of a Worker whose source is this text, which imports as a file in the root would. */
export async function bundleWorker(
  source: string,
  options: Pick<BuildOptions, 'target'> = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:workers'],
    ...options,
  })
  return outputFiles[0]?.text ?? ''
}
