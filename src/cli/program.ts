import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { check } from './check.js'
import { create } from './create.js'
import { FindingsError, findingLine } from './finding.js'
import { generate } from './generate.js'
import { ownFile } from './project.js'
import { reset } from './reset.js'
import { type Flags, readSettings } from './settings.js'
import { status } from './status.js'
import { note, oneLine } from './terminal.js'
import { messageOf } from './usage-error.js'

const EXIT_CODES = `
Exit codes: 0 done; 1 findings; 2 wrong input, and nothing was written.`

/** Runs the program with these arguments, and returns its exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code = 0
  try {
    await createProgram((given) => {
      code = given
    }).parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2
    }
    if (error instanceof FindingsError) {
      for (const finding of error.findings) {
        note(findingLine(finding, process.stderr))
      }
    } else {
      note(messageOf(error))
    }
    return 2
  }
}

/** Tells the exit code of a command that ran; throws `CommanderError` for other input. */
function createProgram(exit: (code: number) => void): Command {
  const program = new Command('kysely-durable-sqlite')
    .description('Types, migrations and local state of SQLite in Durable Objects.')
    .version(readVersion(), '--version', 'show the version')
    .helpOption('--help', 'show this help')
    .helpCommand(false)
    .configureOutput({
      outputError: (text, write) => write(`${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .exitOverride()
  const command = (text: string, description: string): Command =>
    program
      .command(text)
      .description(description)
      .helpOption('--help', 'show this help')
      .addHelpText('after', EXIT_CODES)
      .addOption(new Option('--config <file>', 'default: kysely-durable-sqlite.jsonc or .json'))
      .copyInheritedSettings(program)

  types(
    source(
      command(
        'generate',
        "Writes the TypeScript interface of an object's database for Kysely.",
      ).argument(
        '[path]',
        'a SQLite file, or a directory with the state of `wrangler dev` (default: the current one)',
      ),
    ),
  )
    .option('--verify', 'write nothing, and exit with 1 if the file would change')
    .action(
      async (path: string | undefined, { verify, ...flags }: Flags & { verify?: boolean }) => {
        exit(
          await generate(readSettings({ ...flags, ...(path && { database: path }) }), {
            verify: verify ?? false,
          }),
        )
      },
    )

  command('create', 'Makes the next migration, numbered as the ones before it.')
    .argument('<name>', 'what it does: add_email')
    .addOption(migrations())
    .option('--ts', 'in TypeScript (default: as the last one)')
    .option('--sql', 'in SQL')
    .action((name: string, { ts, sql, ...flags }: Flags & { ts?: boolean; sql?: boolean }) => {
      exit(create(name, readSettings(flags), { ...((ts ?? sql) && { ts: ts === true }) }))
    })

  types(
    command(
      'check',
      'Runs every migration in the workerd of your Wrangler, and says what is wrong.',
    ),
  )
    .addOption(migrations())
    .option(
      '--drizzle <file>',
      'a Drizzle schema, or drizzle.config.ts, that the migrations must produce',
    )
    .option('--class <name>', 'the class that must be SQLite-backed (default: all that are bound)')
    .addOption(wrangler())
    .addOption(environment())
    .option('--json', 'the findings as JSON')
    .action(async ({ json, ...flags }: Flags & { json?: boolean }) => {
      exit(await check(readSettings(flags), { json: json ?? false }))
    })

  source(command('status', 'Says which migrations each object of the local state has.'))
    .argument('[path]', 'a directory with the state of `wrangler dev` (default: the current one)')
    .option('--json', 'as JSON')
    .action(async (path: string | undefined, { json, ...flags }: Flags & { json?: boolean }) => {
      exit(
        await status(readSettings({ ...flags, ...(path && { database: path }) }), {
          json: json ?? false,
        }),
      )
    })

  command('reset', 'Deletes the local state of a class or an object.')
    .argument('[path]', 'a directory with the state of `wrangler dev` (default: the current one)')
    .option('--class <name>', 'the class, also <worker>-<class>')
    .option('--object <id or name>', 'the object, of all of the class')
    .option('--yes', 'do not ask')
    .action(async (path: string | undefined, { yes, ...flags }: Flags & { yes?: boolean }) => {
      exit(
        await reset(readSettings({ ...flags, ...(path && { database: path }) }), {
          yes: yes ?? false,
        }),
      )
    })

  return program
}

function migrations(): Option {
  return new Option(
    '--migrations <path>',
    'a directory of migrations, or a module that exports `migrations`',
  )
}

function wrangler(): Option {
  return new Option(
    '--wrangler <file>',
    'the Wrangler configuration (default: as Wrangler finds it)',
  )
}

function environment(): Option {
  return new Option('--env <name>', 'the environment of the Wrangler configuration')
}

/** Where a schema is read. */
function source(command: Command): Command {
  return command
    .addOption(migrations())
    .option(
      '--class <name>',
      'the Durable Object class, where there are several; also <worker>-<class>',
    )
    .option('--object <id or name>', 'the object of the class')
    .addOption(wrangler())
    .addOption(environment())
}

/** What the generated text is like. */
function types(command: Command): Command {
  return command
    .option('--out <file>', 'the generated file (default of `generate`: standard output)')
    .option('--interface-name <name>', 'the name of the interface (default: DB)')
    .option('--camel-case', "names as Kysely's CamelCasePlugin maps them")
    .option('--columns', 'write `columns` as well, for the option of the dialect')
    .addOption(repeated('--include <glob>', 'only these tables'))
    .addOption(repeated('--exclude <glob>', 'not these tables'))
    .addOption(
      repeated('--map <column=codec>', 'person.created_at=date:iso, or a column alone', mapping),
    )
    .addOption(
      repeated('--map-type <type=codec>', 'by the declared type: datetime=date:sqlite', mapping),
    )
}

function repeated(
  flags: string,
  description: string,
  parse = (value: string): string => value,
): Option {
  return new Option(flags, `${description} (may be repeated)`).argParser<string[]>(
    (value, previous: string[] | undefined) => [...(previous ?? []), parse(value)],
  )
}

function mapping(value: string): string {
  if (!/^.+=.+$/s.test(value)) {
    throw new InvalidArgumentError('Write it as name=codec.')
  }
  return value
}

function readVersion(): string {
  const manifest = readFileSync(ownFile('../package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
