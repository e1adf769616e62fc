import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Link, linksOf } from './links.ts'

const text = readFileSync(new URL('../../docs/comparison.md', import.meta.url), 'utf8')
const links = linksOf(text)
const definitions = new Map(
  links.flatMap((link) => (link.label === undefined ? [] : [[link.label, link]])),
)

/** A test of ours, by its title. */
function isTest({ target, title }: Link): boolean {
  return /^\.\.\/test\/[\w/.-]+\.test\.ts$/.test(target) && /^should \S/.test(title ?? '')
}

/** A file or lines of it, as of a commit. */
function isSourceOf(...repositories: readonly string[]): (link: Link) => boolean {
  return ({ target }) => {
    const [, repository = ''] =
      /^https:\/\/github\.com\/([\w-]+\/[\w-]+)\/blob\/[0-9a-f]{40}\/[\w./-]+(#L\d+(-L\d+)?)?$/.exec(
        target,
      ) ?? []
    return repositories.includes(repository)
  }
}

/** What may back a cell besides a test of ours, by the heading of its column. */
const backedBy: Record<string, (link: Link) => boolean> = {
  'kysely-durable-sqlite': isTest,
  'drizzle-orm': isSourceOf('drizzle-team/drizzle-orm'),
  'kysely-do': isSourceOf('benallfree/kysely-do', 'kysely-org/kysely'),
  'kysely-durable-objects': isSourceOf('jeffwilde/kysely-durable-objects', 'kysely-org/kysely'),
  'rwsdk/db': isSourceOf('redwoodjs/sdk', 'benallfree/kysely-do', 'kysely-org/kysely'),
  'durable-db': isSourceOf('eagerpatch/durable-db', 'kysely-org/kysely'),
  'raw SQL': ({ target }) =>
    target.startsWith('https://developers.cloudflare.com/durable-objects/'),
}

interface Cell {
  readonly feature: string
  readonly column: string
  readonly cell: string
}

/** The cells of all tables but those of the first column, which are the features. */
const cells: readonly Cell[] = Array.from(text.matchAll(/(?:^\|.*\|\n)+/gm), ([table]) => {
  const [header = [], , ...rows] = table
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(1, -1).split('|'))
    .map((row) => row.map((cell) => cell.trim()))
  return rows.flatMap(([feature = '', ...row]) =>
    header.slice(1).map((column, index) => ({ feature, column, cell: row[index] ?? '' })),
  )
}).flat()

/** The labels of a cell that is nothing but references, and perhaps commas between them. */
function labelsOf(cell: string): string[] | undefined {
  return /^\[[^\]]+\]\[[^\]]+\](, \[[^\]]+\]\[[^\]]+\])*$/.test(cell)
    ? Array.from(cell.matchAll(/\]\[([^\]]+)\]/g), ([, label = '']) => label)
    : undefined
}

const hashesIn = (targets: readonly string[]): string[] =>
  [...new Set(targets.flatMap((target) => target.match(/[0-9a-f]{40}/) ?? []))].toSorted()

describe('the tables of docs/comparison.md', () => {
  it('should compare with the same six others in each', () => {
    const columns = Map.groupBy(cells, ({ column }) => column)
    expect([...columns.keys()]).toEqual(Object.keys(backedBy))
    expect(new Set(Array.from(columns.values(), ({ length }) => length)).size).toBe(1)
    expect(cells.length).toBeGreaterThan(100)
  })

  it('should have a link for every cell, and nothing else in it', () => {
    expect(cells.filter(({ cell }) => labelsOf(cell) === undefined)).toEqual([])
  })

  it('should link to tests of ours by their titles, and to the source of others as of a commit', () => {
    const unbacked = cells.filter(({ column, cell }) =>
      (labelsOf(cell) ?? []).some((label) => {
        const link = definitions.get(label)
        return link === undefined || !(isTest(link) || backedBy[column]?.(link))
      }),
    )
    expect(unbacked).toEqual([])
  })

  it('should have no link that no cell has', () => {
    const used = new Set(cells.flatMap(({ cell }) => labelsOf(cell) ?? []))
    expect([...definitions.keys()].filter((label) => !used.has(label))).toEqual([])
  })

  it('should list the commits that they link to', () => {
    const listed = links.filter(({ target }) => target.includes('/commit/'))
    expect(hashesIn(listed.map(({ target }) => target))).toEqual(
      hashesIn([...definitions.values()].map(({ target }) => target)),
    )
  })
})
