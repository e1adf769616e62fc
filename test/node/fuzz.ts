import { build } from 'esbuild'
import * as fc from 'fast-check'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Answer, Outcome } from '../fuzz/outcome.js'
import { Reference } from './fuzz-reference.ts'

export interface Figures {
  queries: number
  comparisons: number
  /** Of the comparisons, those of queries that fail. */
  errors: number
  /** What the platform refused, because it was too much. */
  refused: number
}

export interface FuzzOptions {
  readonly root: string
  readonly runs: number
  readonly seed?: number | undefined
  readonly examples?: readonly (readonly number[])[] | undefined
  readonly onProgress?: (figures: Figures) => void
}

/** The messages of the limits that docs/limits.md leaves to the user. */
const LIMITS =
  /^(?:too many terms in compound SELECT|out of memory|statement too long|Expression tree is too large|too many columns|LIKE or GLOB pattern)/

/**
 * Runs random queries below and beyond the limit, in every way that the library has, in workerd, and
 * compares what they do with Kysely's own compiler on the SQLite of Node. Throws fast-check's error for
 * the first that differs, with the seed and both SQL texts.
 */
export async function fuzz({
  root,
  runs,
  seed,
  examples = [],
  onProgress,
}: FuzzOptions): Promise<Figures> {
  const figures: Figures = { queries: 0, comparisons: 0, errors: 0, refused: 0 }
  const reference = new Reference()
  const miniflare = await startWorkerd(root)
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2 ** 31 - 1), { minLength: 1, maxLength: 300, size: 'max' }),
        async (tape) => {
          const expected = reference.run(tape)
          const response = await miniflare.dispatchFetch('http://fuzz/', {
            method: 'POST',
            body: JSON.stringify(tape),
          })
          const answer = (await response.json()) as Answer
          figures.queries++
          for (const [path, outcome] of Object.entries(answer.outcomes)) {
            if ('error' in outcome && LIMITS.test(outcome.error)) {
              figures.refused++
              continue
            }
            figures.comparisons++
            figures.errors += 'error' in outcome ? 1 : 0
            const [actual, wanted] = [outcome, expected.outcome].map((outcome) =>
              describe(outcome, expected.isOrdered),
            )
            if (actual !== wanted) {
              throw new Error(
                `${path}: ${actual}\nnode:sqlite: ${wanted}\n${answer.sql}\n${expected.sql}`,
              )
            }
          }
          onProgress?.(figures)
        },
      ),
      {
        numRuns: runs,
        examples: examples.map((tape) => [[...tape]]),
        ...(seed === undefined ? {} : { seed }),
      },
    )
  } finally {
    await miniflare.dispose()
  }
  return figures
}

function describe(outcome: Outcome, isOrdered: boolean): string {
  return JSON.stringify(
    'error' in outcome || isOrdered ? outcome : { ...outcome, rows: outcome.rows.toSorted() },
  )
}

async function startWorkerd(root: string): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [`${root}/test/fuzz/worker.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:workers'],
  })
  return new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate: '2026-04-06',
      durableObjects: { FUZZ: { className: 'Fuzz', useSQLite: true } },
    }),
  )
}
