import * as v from 'valibot'

const id = v.pipe(v.string(), v.uuid())
const title = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200))
const labels = v.pipe(v.array(v.pipe(v.string(), v.maxLength(40))), v.maxLength(10))
const date = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.transform((text) => new Date(text)),
)

/**
 * What clients may ask of their tenant, and with which arguments: `POST /actions/<name>`.
 *
 * The Worker checks them, so that nonsense wakes no object, and the object checks them, since
 * whoever has the binding can call it.
 */
export const actions = {
  /** The id comes from the client, so that a request that is sent again adds nothing. */
  addTask: v.strictObject({
    id: v.optional(id),
    title,
    due_at: v.optional(v.nullable(date)),
    labels: v.optional(labels),
  }),
  completeTask: v.strictObject({ id }),
  completeTasks: v.strictObject({ ids: v.pipe(v.array(id), v.maxLength(500)) }),
  deleteTask: v.strictObject({ id }),
  archiveDone: v.strictObject({}),
  invite: v.strictObject({}),
}

/** `POST /join` */
export const join = v.strictObject({ code: v.pipe(v.string(), v.uuid()) })

/** A line of an export. */
export const exportedTask = v.strictObject({
  id,
  title,
  done: v.boolean(),
  due_at: v.nullable(date),
  labels,
  created_at: date,
  updated_at: date,
})

/** For `importTasks`, which the Worker calls itself. */
export const importedTasks = v.strictObject({
  tasks: v.pipe(v.array(exportedTask), v.maxLength(500)),
})
