import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Link {
  /** Of a reference such as `[yes][label]`, whose target stands in a line `[label]: target "title"`. */
  readonly label: string | undefined
  readonly target: string
  readonly title: string | undefined
}

const INLINE = /\]\(((?:[^)"']|"[^"]*"|'[^']*')+)\)/g
const DEFINITION = /^\[([^\]^][^\]]*)\]: (.+)$/gm

/** The links of a Markdown document: those in its text, and the lines that references in it refer to. */
export function linksOf(text: string): Link[] {
  return [
    ...Array.from(text.matchAll(INLINE), ([, destination = '']) => toLink(destination)),
    ...Array.from(text.matchAll(DEFINITION), ([, label, destination = '']) =>
      toLink(destination, label),
    ),
  ]
}

function toLink(destination: string, label?: string): Link {
  const [, target = destination, , title] = /^(\S+)(?: (["'])(.*)\2)?$/.exec(destination) ?? []
  return { label, target, title }
}

/**
 * The relative links of a Markdown document that lead to no file, to no heading in it, or to a file
 * without a string that is their title: a link to a test has the title of the test.
 */
export function brokenLinks(root: string, document: string, text: string): string[] {
  return linksOf(text)
    .filter(({ target }) => !/^\w+:/.test(target))
    .filter(({ target, title }) => {
      const [path = '', heading] = target.split('#')
      const file = join(root, path === '' ? document : join(dirname(document), path))
      return (
        !existsSync(file) ||
        (heading !== undefined && !headings(readFileSync(file, 'utf8')).includes(heading)) ||
        (title !== undefined && !hasString(readFileSync(file, 'utf8'), title))
      )
    })
    .map(({ target, title }) => (title === undefined ? target : `${target} "${title}"`))
}

function hasString(code: string, content: string): boolean {
  return ["'", '"', '`'].some((quote) => code.includes(`${quote}${content}${quote}`))
}

/** The anchors that GitHub gives the headings. One that was used before gets a number. */
function headings(text: string): string[] {
  const uses = new Map<string, number>()
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')
    const used = uses.get(anchor) ?? 0
    uses.set(anchor, used + 1)
    return used === 0 ? anchor : `${anchor}-${used}`
  })
}
