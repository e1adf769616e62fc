import { basename } from 'node:path'
import type { CodeBlock } from './code-blocks.ts'

/** A code block made into a TypeScript module that can be compiled and run. */
export interface DocumentModule {
  readonly block: CodeBlock
  /** Of its file, without the extension. */
  readonly name: string
  readonly text: string
  /** How many lines of the module are in front of the first line of the block. */
  readonly linesBefore: number
  /** The Durable Object that it exports. */
  readonly durableObject: string | undefined
}

const IMPORT = /^ *import\b[^]*?['"][^'"\n]+['"]$/gm
const EXPORT = /^ *export /m
const DURABLE_OBJECT = /^ *export class (\w+) extends DurableObject\b/m

/**
 * A block that exports something is a module as it stands. Any other is the body of a function that
 * is given the {@link Context}, in a block scope of its own so that it may declare the same names.
 */
export function toModule(block: CodeBlock): DocumentModule {
  const name = `${basename(block.document, '.md')}-${block.line}`
  const durableObject = DURABLE_OBJECT.exec(block.code)?.[1]
  return EXPORT.test(block.code)
    ? { block, name, durableObject, ...standAlone(block) }
    : { block, name, durableObject, ...functionBody(block) }
}

function standAlone({
  before,
  code,
  after,
}: CodeBlock): Pick<DocumentModule, 'text' | 'linesBefore'> {
  const head = `import type { ModuleContext as $Context } from '../test/documents/context.js'\n${before}`
  const tail = `export async function $run({ stub, fetch, equal, rejects }: $Context) {\n${after}}\n`
  return { text: `${head}${code}${tail}`, linesBefore: countLines(head) }
}

function functionBody({
  before,
  code,
  after,
}: CodeBlock): Pick<DocumentModule, 'text' | 'linesBefore'> {
  const imports = [...`${before}${code}`.matchAll(IMPORT)].map(([text]) => text)
  const head = `import type { Context as $Context, Database } from '../test/documents/context.js'
${imports.join('\n')}
export async function $run({ ctx, db, env, equal, rejects }: $Context) {{
${withoutImports(before)}{
`
  return {
    text: `${head}${withoutImports(code)}${after}}}}\n`,
    linesBefore: countLines(head),
  }
}

/** Leaves the lines where they are. */
function withoutImports(code: string): string {
  return code.replaceAll(IMPORT, (text) => '\n'.repeat(countLines(text)))
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}
