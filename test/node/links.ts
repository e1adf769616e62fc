import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The relative links of a Markdown document that lead to no file, or to no heading in it. */
export function brokenLinks(root: string, document: string, text: string): string[] {
  return Array.from(text.matchAll(/\]\((?!\w+:)([^)]+)\)/g), ([, link = '']) => link).filter(
    (link) => {
      const [path = '', heading] = link.split('#')
      const file = join(root, path === '' ? document : join(dirname(document), path))
      return (
        !existsSync(file) ||
        (heading !== undefined && !headings(readFileSync(file, 'utf8')).includes(heading))
      )
    },
  )
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
