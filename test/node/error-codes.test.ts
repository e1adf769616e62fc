import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

it('should explain every code of DurableObjectSqliteErrorCode in docs/results-and-errors.md', () => {
  const [, union = ''] = /^export type DurableObjectSqliteErrorCode =\n(.*?)\n\n/ms.exec(
    read('src/platform/errors.ts'),
  )!
  const codes = Array.from(union.matchAll(/^ {2}\| '(ERR_\w+)'$/gm), ([, code]) => code)
  const rows = read('docs/results-and-errors.md').matchAll(/^\| `(ERR_\w+)` +\| /gm)
  expect(codes.length).toBeGreaterThan(0)
  expect(Array.from(rows, ([, code]) => code).toSorted()).toEqual(codes.toSorted())
})
