import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { generate } from './generate.js'
import { messageOf, UsageError } from './usage-error.js'

const HELP = `Usage: kysely-durable-sqlite generate [path] [options]

Writes the TypeScript interface of a Durable Object's database for Kysely.

  path                     a SQLite file, or a directory with the state that \`wrangler dev\`
                           leaves (default: the current directory and its .wrangler/state)

  --class <name>           the Durable Object class, where there are several; also <worker>-<class>
  --object <id or name>    the object of the class, where there are several
  --out <file>             write to this file instead of standard output
  --verify                 write nothing, and exit with 1 if the file would change
  --camel-case             names as Kysely's CamelCasePlugin maps them
  --interface-name <name>  the name of the interface (default: DB)
  --help                   show this help
  --version                show the version

Exit codes: 0 done; 1 the file differs (--verify); 2 wrong input, nothing written.
`

const OPTIONS = {
  class: { type: 'string' },
  object: { type: 'string' },
  out: { type: 'string' },
  verify: { type: 'boolean', default: false },
  'camel-case': { type: 'boolean', default: false },
  'interface-name': { type: 'string' },
  help: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
} as const

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (values.version) {
    process.stdout.write(`${readVersion()}\n`)
    return 0
  }
  const [command, path = '.', ...rest] = positionals
  if (command !== 'generate' || rest.length > 0) {
    throw new UsageError('Write: kysely-durable-sqlite generate [path] [options]. See --help.')
  }
  return generate({
    path,
    className: values.class,
    object: values.object,
    out: values.out,
    verify: values.verify,
    camelCase: values['camel-case'],
    interfaceName: values['interface-name'],
  })
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 2
}
