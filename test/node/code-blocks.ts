/** A fenced code block of a Markdown document. */
export interface CodeBlock {
  readonly document: string
  /** Of the first line of the code, counted from 1. */
  readonly line: number
  /** The first word after the fence: `ts`, `jsonc`, … */
  readonly language: string
  /** The words after the language. */
  readonly flags: readonly string[]
  readonly code: string
  /** Code hidden in a comment before the block, `<!-- before … -->`. */
  readonly before: string
  /** Code hidden in a comment after the block, `<!-- after … -->`. */
  readonly after: string
}

const FENCE =
  /(?:^<!-- before\n(?<before>[^]*?)^-->\n+)?^(?<indent> *)```(?<info>\w.*)\n(?<code>[^]*?)^\k<indent>```$(?:\n+<!-- after\n(?<after>[^]*?)^-->$)?/gm

/** The fenced code blocks of a document that name a language, with the code hidden around them. */
export function codeBlocks(document: string, text: string): CodeBlock[] {
  return Array.from(text.matchAll(FENCE), ({ index, 0: match, groups }) => {
    const { before = '', info = '', code = '', after = '' } = groups!
    const [language = '', ...flags] = info.trim().split(/\s+/)
    const start = index + match.indexOf(`\`\`\`${info}`)
    const line = text.slice(0, start).split('\n').length + 1
    return { document, line, language, flags, code, before, after }
  })
}
