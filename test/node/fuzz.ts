import { build } from 'esbuild'
import * as fc from 'fast-check'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Answer, Outcome } from '../fuzz/outcome.js'
import { Reference } from './fuzz-reference.ts'

export interface Figures {
  queries: number
  /** Of what a query did in one way with what it does in the reference. */
  comparisons: number
  /** Of the comparisons, those of queries that fail. */
  errors: number
  /** What was not compared, since the platform refused it as too much. */
  refused: number
  mismatches: number
}

export interface FuzzOptions {
  /** The directory of the package. */
  readonly root: string
  readonly runs: number
  readonly seed: number
  /** Called after each batch. */
  readonly onProgress?: (figures: Figures) => void
}

/** The choices of one query: see Tape. */
export type Choices = readonly number[]

const choices = fc.array(fc.nat(2 ** 31 - 1), { minLength: 1, maxLength: 300, size: 'max' })

const BATCH = 50

/** The limits that docs/limits.md leaves to the user. */
const LIMITS =
  /^(?:too many terms in compound SELECT|out of memory|statement too long|Expression tree is too large|too many columns|LIKE or GLOB pattern)/

/**
 * Runs random queries below and beyond the limit, in every way that the library has, in workerd, and
 * compares what they do with Kysely's own compiler on the SQLite of Node.
 */
export class Fuzzer {
  readonly figures: Figures = { queries: 0, comparisons: 0, errors: 0, refused: 0, mismatches: 0 }
  readonly #reference = new Reference()
  readonly #workerd: Miniflare

  private constructor(workerd: Miniflare) {
    this.#workerd = workerd
  }

  static async start(root: string): Promise<Fuzzer> {
    const { outputFiles } = await build({
      entryPoints: [`${root}/test/fuzz/worker.ts`],
      bundle: true,
      write: false,
      format: 'esm',
      external: ['cloudflare:workers'],
    })
    return new Fuzzer(
      new Miniflare(
        convertV4MiniflareOptions({
          modules: true,
          script: outputFiles.map(({ text }) => text).join(''),
          compatibilityDate: '2026-04-06',
          durableObjects: { FUZZ: { className: 'Fuzz', useSQLite: true } },
        }),
      ),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workerd.dispose()
  }

  /** Says what differs, of each query. */
  async compare(queries: readonly Choices[]): Promise<string[]> {
    const response = this.#workerd.dispatchFetch('http://fuzz/', {
      method: 'POST',
      body: JSON.stringify(queries),
    })
    const expected = queries.map((query) => ({ query, ...this.#reference.run(query) }))
    const answers = (await (await response).json()) as Answer[]
    return expected.flatMap(({ query, isOrdered, outcome: wanted, sql: referenceSql }, i) => {
      const { sql, outcomes } = answers.at(i) as Answer
      this.figures.queries++
      return Object.entries(outcomes).flatMap(([way, outcome]) => {
        if ('error' in outcome && LIMITS.test(outcome.error)) {
          this.figures.refused++
          return []
        }
        this.figures.comparisons++
        this.figures.errors += 'error' in outcome ? 1 : 0
        const actual = describe(outcome, isOrdered)
        const reference = describe(wanted, isOrdered)
        if (JSON.stringify(actual) === JSON.stringify(reference)) {
          return []
        }
        this.figures.mismatches++
        return [
          `${way} and node:sqlite differ: ${difference(actual, reference)}`,
          shorten(sql),
          shorten(referenceSql),
          JSON.stringify(query),
        ].join('\n')
      })
    })
  }

  /** Runs so many random queries. Throws for the first that differs, made as small as can be. */
  async run({ runs, seed, onProgress }: Omit<FuzzOptions, 'root'>): Promise<void> {
    for (let i = 0; i < runs; i += BATCH) {
      const batch = fc.sample(choices, { numRuns: Math.min(BATCH, runs - i), seed: seed + i })
      if ((await this.compare(batch)).length > 0) {
        await fc.assert(
          fc.asyncProperty(choices, async (query) => {
            const [difference] = await this.compare([query])
            if (difference !== undefined) {
              throw new Error(difference)
            }
          }),
          {
            examples: batch.map((query) => [query]),
            numRuns: batch.length,
            interruptAfterTimeLimit: 60_000,
          },
        )
      }
      onProgress?.(this.figures)
    }
  }
}

/** The outcome as lines, sorted where there is no order. The id of a row that was inserted is part of it. */
function describe(outcome: Outcome, isOrdered: boolean): string[] {
  if ('error' in outcome) {
    return [outcome.error]
  }
  const { rows, left = [] } = outcome
  return isOrdered
    ? [...rows, '', ...left]
    : [...rows.toSorted(), '', ...left.map((row) => row.replace(/^\d+, /, '')).toSorted()]
}

function difference(actual: readonly string[], expected: readonly string[]): string {
  const row = actual.findIndex((row, i) => row !== expected[i])
  return JSON.stringify(
    row === -1 ? [actual.length, expected.length] : [actual[row], expected[row]],
  )
}

function shorten(sql: string): string {
  return sql.length > 3000 ? `${sql.slice(0, 3000)}…` : sql
}
