import type { CodeBlock } from './code-blocks.ts'

/** A code block made into a TypeScript module that can be compiled and run. */
export interface DocumentModule {
  readonly block: CodeBlock
  readonly file: string
  readonly text: string
  /** How many lines of the module are in front of the first line of the block. */
  readonly linesBefore: number
  /**
   * Whether it is given a Durable Object's context, exports a Durable Object of its own, or is a file
   * of a project that the document describes: `ts file=src/index.ts`.
   */
  readonly kind: 'body' | 'durable object' | 'file' | 'other'
  /** The Durable Object that it exports. */
  readonly durableObject: string | undefined
}

const IMPORT =
  /^ *import (?:type )?(?:(?<whole>\w+) from )?(?:\{(?<names>[^}]*)\} from )?(?<from>'[^']+')(?: *\/\/.*)?$/gm
const EXPORT = /^export /m
const DURABLE_OBJECT = /^export class (\w+) extends (?:Agent|DurableObject)\b/m

/** The modules of the code blocks of one document, in order. */
export function toModules(blocks: readonly CodeBlock[]): DocumentModule[] {
  const imports = new Map<string, string>()
  return blocks.map((block) => {
    const own = fileOf(block) === undefined ? importsOf(`${block.before}${block.code}`) : []
    for (const [name, statement] of own) {
      imports.set(name, statement)
    }
    const { before, code, after } = block
    const used = [...imports]
      .filter(([name]) => new RegExp(`\\b${name}\\b`).test(`${before}${code}${after}`))
      .map(([, statement]) => statement)
    return toModule(block, used)
  })
}

/**
 * A block that exports something is a module as it stands. Any other is the body of a function that
 * is given the `Context`, in a block scope of its own so that it may declare the same names.
 */
function toModule(block: CodeBlock, imports: readonly string[]): DocumentModule {
  const { document, line, before, code, after } = block
  const name = document.replaceAll(/[^\w]/g, '-')
  const file = fileOf(block)
  if (file !== undefined) {
    return {
      block,
      file: `${name}/${file}`,
      text: code,
      linesBefore: 0,
      kind: 'file',
      durableObject: undefined,
    }
  }
  const [head, tail] = EXPORT.test(code)
    ? [
        `import type { ModuleContext as $Context } from '../test/documents/context.js'
${before}`,
        `export async function $run({ stub, another, fetch, equal, rejects }: $Context) {
${after}}
`,
      ]
    : [
        `import type { Context as $Context, Database } from '../test/documents/context.js'
${imports.join('\n')}
export async function $run({ ctx, db, env, equal, rejects }: $Context) {{
${withoutImports(before)}{
`,
        `${after}}}}
`,
      ]
  const durableObject = DURABLE_OBJECT.exec(code)?.[1]
  const kind = !EXPORT.test(code) ? 'body' : durableObject ? 'durable object' : 'other'
  return {
    block,
    file: `${name}-${line}.ts`,
    text: `${head}${kind === 'body' ? withoutImports(code) : code}${tail}`,
    linesBefore: countLines(head),
    kind,
    durableObject,
  }
}

/** The path that the block gives itself. */
export function fileOf({ flags }: CodeBlock): string | undefined {
  return flags.find((flag) => flag.startsWith('file='))?.slice('file='.length)
}

/** A statement for each imported name. */
function importsOf(code: string): [name: string, statement: string][] {
  return Array.from(code.matchAll(IMPORT), ({ 0: statement, groups }) => {
    const { whole, names = '', from } = groups!
    const keyword = statement.trim().startsWith('import type') ? 'import type' : 'import'
    const defaults: [string, string][] =
      whole === undefined ? [] : [[whole, `${keyword} ${whole} from ${from}`]]
    const named = names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name): [string, string] => [
        name.split(' ').at(-1)!,
        `${keyword} { ${name} } from ${from}`,
      ])
    return [...defaults, ...named]
  }).flat()
}

/** Leaves the lines where they are. */
function withoutImports(code: string): string {
  return code.replaceAll(IMPORT, (text) => '\n'.repeat(countLines(text)))
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}
