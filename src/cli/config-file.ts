import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import * as z from 'zod/mini'
import { en } from 'zod/locales'
import { Config } from './config-schema.js'
import { messageOf, UsageError } from './usage-error.js'

/** Where the configuration is looked for, in the working directory. */
const NAMES = ['kysely-durable-sqlite.jsonc', 'kysely-durable-sqlite.json']

/** What is a path of the configuration, relative to its file. */
const PATHS = ['migrations', 'database', 'out', 'drizzle', 'wrangler'] as const

z.config(en())

/** The configuration that is given, or lies in the working directory; empty if there is none. */
export function readConfig(given: string | undefined): Config {
  const path = given ?? findConfig()
  if (path === undefined) {
    return {}
  }
  const config = parseConfig(path, readText(path))
  return { ...config, ...pathsFrom(dirname(path), config) }
}

function findConfig(): string | undefined {
  const [found, other] = NAMES.filter((name) => existsSync(name))
  if (other !== undefined) {
    throw new UsageError(
      `There are ${found} and ${other}. Keep one of them, or choose with --config.`,
    )
  }
  return found
}

function readText(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new UsageError(`There is no configuration file ${path}.`)
  }
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}.`)
  }
}

function parseConfig(path: string, text: string): Config {
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split('\n').length
    throw new UsageError(`${path}:${line} is not JSON: ${printParseErrorCode(error.error)}.`)
  }
  const result = Config.safeParse(value)
  if (!result.success) {
    throw new UsageError(`${path}: ${describeIssue(result.error.issues.at(0)!)}.`)
  }
  return result.data
}

function describeIssue(issue: z.core.$ZodIssue): string {
  // Of the members of a union, the object says what is wrong in it.
  const inner = issue.code === 'invalid_union' ? issue.errors.at(-1)?.[0] : undefined
  if (inner !== undefined) {
    return describeIssue({ ...inner, path: [...issue.path, ...inner.path] })
  }
  const place = issue.path.length === 0 ? '' : `${issue.path.map(String).join(' → ')}: `
  return `${place}${issue.message}`
}

function pathsFrom(directory: string, config: Config): Config {
  return Object.fromEntries(
    PATHS.flatMap((name) => {
      const path = config[name]
      return path === undefined ? [] : [[name, fromWorkingDirectory(directory, path)]]
    }),
  )
}

function fromWorkingDirectory(directory: string, path: string): string {
  return isAbsolute(path) || directory === '.'
    ? path
    : relative(process.cwd(), resolve(join(directory, path)))
}
