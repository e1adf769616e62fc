/**
 * Writes the API reference, docs/api, from the docstrings of what the entries export: `npm run api` in
 * the root of the repository. `npm run check:api` writes nothing, and exits 1 where it is out of date.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { hideInherited, nameParameters, sortExports, withoutExample } from './public-members.ts'
import { ReferenceRouter } from './reference-router.ts'
import { ReferenceTheme } from './reference-theme.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const reference = join(root, 'docs/api')

const options: TypeDocOptions & PluginOptions = {
  logLevel: 'Warn',
  basePath: `${root}src`,
  entryPoints: ['', 'columns/', 'cost/', 'drizzle/', 'migration/', 'remote/'].map(
    (directory) => `${root}src/${directory}index.ts`,
  ),
  tsconfig: fileURLToPath(new URL('tsconfig.entries.json', import.meta.url)),
  plugin: ['typedoc-plugin-markdown'],
  router: 'reference',
  theme: 'reference',
  // The same text on every machine, with and without git.
  disableGit: true,
  disableSources: true,
  readme: 'none',
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  // Types that are there for other types, and that no user has to name.
  intentionallyNotExported: [
    'Cased',
    'CodecParts',
    'ElementOf',
    'Inherited',
    'KeysOfCodecs',
    'KeysOfTables',
    'ValueOf',
  ],
  requiredToBeDocumented: [
    'Accessor',
    'Class',
    'Function',
    'Interface',
    'Method',
    'Property',
    'TypeAlias',
    'Variable',
  ],
  // The text of the type says what they are.
  intentionallyNotDocumented: ['reason', 'sql', 'table'].map(
    (name) => `cost.AllowedScan.__type.${name}`,
  ),
  validation: { invalidLink: true, notDocumented: true, notExported: true, rewrittenLink: true },
  sortEntryPoints: false,
  sort: ['source-order'],
  entryFileName: 'README',
  expandObjects: true,
  expandParameters: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  parametersFormat: 'none',
  useCodeBlocks: true,
}

/** The text of each file, by its name. */
function readPages(directory: string): Map<string, string> {
  const files = existsSync(directory) ? readdirSync(directory).toSorted() : []
  return new Map(files.map((file) => [file, readFileSync(join(directory, file), 'utf8')]))
}

/** Whether TypeDoc had nothing to say, which it prints. */
async function writePages(directory: string): Promise<boolean> {
  const app = await Application.bootstrapWithPlugins(options)
  app.renderer.defineRouter('reference', ReferenceRouter)
  app.renderer.defineTheme('reference', ReferenceTheme)
  const project = await app.convert()
  if (project === undefined) {
    return false
  }
  hideInherited(project)
  nameParameters(project)
  sortExports(project)
  app.validate(project)
  for (const name of withoutExample(project)) {
    app.logger.warn(`${name} has no example`)
  }
  app.options.setValue('outputs', [{ name: 'markdown', path: directory }])
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    return false
  }
  execFileSync(
    join(root, 'node_modules/.bin/oxfmt'),
    ['--config', join(root, '.oxfmtrc.json'), directory],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return true
}

const directory = mkdtempSync(join(tmpdir(), 'api-'))
try {
  if (!(await writePages(directory))) {
    console.error('docs/api is as it was. Mend what is said above.')
    process.exitCode = 1
  } else if (process.argv.includes('--verify')) {
    const [written, committed] = [readPages(directory), readPages(reference)]
    const names = [...new Set([...written.keys(), ...committed.keys()])]
    const outdated = names.filter((name) => written.get(name) !== committed.get(name))
    if (outdated.length > 0) {
      console.error(`docs/api is out of date (${outdated.join(', ')}). Run npm run api.`)
      process.exitCode = 1
    }
  } else {
    rmSync(reference, { recursive: true, force: true })
    cpSync(directory, reference, { recursive: true })
  }
} finally {
  rmSync(directory, { recursive: true })
}
