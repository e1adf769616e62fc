import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Fuzzer } from './fuzz.ts'

const RUNS = 400

let fuzzer: Fuzzer

beforeAll(async () => {
  fuzzer = await Fuzzer.start(join(import.meta.dirname, '../..'))
})

afterAll(() => fuzzer[Symbol.asyncDispose]())

it('should do what SQLite does, in every way and with random queries', async () => {
  await fuzzer.run({ runs: RUNS, seed: Date.now() % 2 ** 31 })
  const { queries, comparisons, errors, refused, mismatches } = fuzzer.figures
  expect(mismatches).toBe(0)
  // Queries that only fail, or are too much for the platform, would show nothing.
  expect(comparisons - errors).toBeGreaterThan(queries * 5)
  expect(refused).toBeLessThan(queries)
}, 300_000)
