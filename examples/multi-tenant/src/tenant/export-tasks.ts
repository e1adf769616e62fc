import type { Kysely } from 'kysely'
import type { Database } from './database.generated.js'

const ROWS = 200

/** One JSON text a line, read from the database as the client takes them. */
export function exportTasks(db: Kysely<Database>): ReadableStream<Uint8Array> {
  const tasks = db.selectFrom('task').selectAll().orderBy('id').stream(ROWS)
  const encoder = new TextEncoder()
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const lines: string[] = []
      for (let row = 0; row < ROWS; row++) {
        const { done, value } = await tasks.next()
        if (done) {
          break
        }
        lines.push(`${JSON.stringify(value)}\n`)
      }
      if (lines.length > 0) {
        controller.enqueue(encoder.encode(lines.join('')))
      } else {
        controller.close()
        controller.byobRequest?.respond(0)
      }
    },
    async cancel() {
      await tasks.return?.()
    },
  })
}
