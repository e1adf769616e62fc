/**
 * The process that reads databases: a path on each line of its input, the content of each, as JSON, on a
 * line of its output. SQLite cannot be interrupted in it, but it can be ended.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import { messageOf } from '../usage-error.js'
import { readDatabase } from './database-file.js'

for await (const line of createInterface({ input: process.stdin })) {
  const path = JSON.parse(line) as string
  const answer = await readDatabase(path).then(
    (content) => ({ content }),
    (error: unknown) => ({ error: messageOf(error) }),
  )
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
