import type { Kysely, Selectable } from 'kysely'
import type { SyncExecutor } from 'kysely-durable-sqlite'
import type { InferOutput } from 'valibot'
import type { actions, importedTasks } from '../actions.js'
import { Refusal } from '../answer.js'
import type { Database } from './database.generated.js'

export type Task = Selectable<Database['task']>

/** What an action works with. */
export interface Scope {
  readonly db: Kysely<Database>
  readonly sync: SyncExecutor
}

type Args<Name extends keyof typeof actions> = InferOutput<(typeof actions)[Name]>

/** The list that everyone of a tenant sees. */
export function newestTasks(db: Kysely<Database>) {
  return db
    .selectFrom('task')
    .selectAll()
    .where('done', '=', false)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(50)
}

/** Those to be done next. */
export function dueTasks(db: Kysely<Database>) {
  return db
    .selectFrom('task')
    .select(['title', 'due_at'])
    .where('done', '=', false)
    .where('due_at', 'is not', null)
    .orderBy('due_at')
    .limit(5)
}

/** Returns the task that has the id already, if there is one: the request was sent again. */
export function addTask({ db, sync }: Scope, task: Args<'addTask'>): Task {
  const id = task.id ?? crypto.randomUUID()
  sync.run(
    db
      .insertInto('task')
      .values({ due_at: null, ...task, id })
      .onConflict((conflict) => conflict.column('id').doNothing()),
  )
  return sync.executeTakeFirstOrThrow(db.selectFrom('task').selectAll().where('id', '=', id))
}

export function completeTask({ db, sync }: Scope, { id }: Args<'completeTask'>): Task {
  const task = sync.executeTakeFirst(
    db.updateTable('task').set({ done: true }).where('id', '=', id).returningAll(),
  )
  if (task === undefined) {
    throw new Refusal(`There is no task ${id}.`)
  }
  return task
}

/** An action that calls another: all of them or, if one is missing, none. */
export function completeTasks(scope: Scope, { ids }: Args<'completeTasks'>): Task[] {
  return ids.map((id) => completeTask(scope, { id }))
}

export function deleteTask({ db, sync }: Scope, { id }: Args<'deleteTask'>): void {
  sync.run(db.deleteFrom('task').where('id', '=', id))
}

/** Returns how many were new: what is there already, or in the archive, stays as it is. */
export function importTasks(
  { db, sync }: Scope,
  { tasks }: InferOutput<typeof importedTasks>,
): number {
  const ids = tasks.map(({ id }) => id)
  const archived = new Set(
    sync
      .execute(db.selectFrom('archived_task').select('id').where('id', 'in', ids))
      .map(({ id }) => id),
  )
  const fresh = tasks.filter(({ id }) => !archived.has(id))
  if (fresh.length === 0) {
    return 0
  }
  const { numInsertedOrUpdatedRows = 0n } = sync.executeTakeFirstOrThrow(
    db
      .insertInto('task')
      .values(fresh)
      .onConflict((conflict) => conflict.column('id').doNothing()),
  )
  return Number(numInsertedOrUpdatedRows)
}
