import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { hasCode } from './usage-error.js'

/** Makes the directory and those above it. With its own `recursive`, Node.js never returns in `/proc`. */
export function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    return
  }
  if (dirname(path) !== path) {
    makeDirectory(dirname(path))
  }
  try {
    mkdirSync(path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) {
      throw error
    }
  }
}
