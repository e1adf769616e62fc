import { type Kysely, sql } from 'kysely'
import type { SyncExecutor } from 'kysely-durable-sqlite'
import type { Database } from './database.generated.js'
import { newestTasks, type Task } from './tasks.js'

/** What a client gets: tasks that are new or changed, and the ids of those that are gone. */
export interface LiveMessage {
  readonly tasks: readonly Task[]
  readonly gone: readonly string[]
}

/**
 * Tells sockets what changed. Each keeps the number of the last change that it was told of, so that
 * an object that slept between two changes goes on where it was.
 */
export class LiveList {
  readonly #ctx: DurableObjectState
  readonly #db: Kysely<Database>
  readonly #sync: SyncExecutor

  constructor(ctx: DurableObjectState, db: Kysely<Database>, sync: SyncExecutor) {
    this.#ctx = ctx
    this.#db = db
    this.#sync = sync
  }

  /** The first message is the list as it is. */
  accept(user: string): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    this.#ctx.acceptWebSocket(server, [user])
    server.serializeAttachment(this.#lastChange())
    const tasks = this.#sync.execute(newestTasks(this.#db))
    server.send(JSON.stringify({ tasks, gone: [] } satisfies LiveMessage))
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Synchronous: nothing comes between reading the changes and marking them as told. */
  announce(): void {
    const last = this.#lastChange()
    const told = Map.groupBy(this.#ctx.getWebSockets(), (socket) =>
      Number(socket.deserializeAttachment()),
    )
    for (const [seq, sockets] of told) {
      if (seq < last) {
        const message = JSON.stringify(this.#changesSince(seq))
        for (const socket of sockets) {
          socket.serializeAttachment(last)
          socket.send(message)
        }
      }
    }
  }

  disconnect(user?: string): void {
    for (const socket of this.#ctx.getWebSockets(user)) {
      socket.close(4001, 'Signed out.')
    }
  }

  #changesSince(seq: number): LiveMessage {
    const { db, sync } = { db: this.#db, sync: this.#sync }
    const ids = sync
      .execute(db.selectFrom('change').select('task_id').distinct().where('seq', '>', seq))
      .map(({ task_id }) => task_id)
    const tasks = sync.execute(db.selectFrom('task').selectAll().where('id', 'in', ids))
    const found = new Set(tasks.map(({ id }) => id))
    return { tasks, gone: ids.filter((id) => !found.has(id)) }
  }

  /** Of the queue, which the alarm empties: what SQLite remembers of its numbers. */
  #lastChange(): number {
    const { seq } = this.#sync.executeTakeFirst(
      sql<{ seq: number }>`select seq from sqlite_sequence where name = 'change'`,
    ) ?? { seq: 0 }
    return seq
  }
}
