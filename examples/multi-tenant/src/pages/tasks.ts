import type { Kysely } from 'kysely'
import { batch } from 'kysely-durable-sqlite/remote'
import type { Session } from '../directory/directory.js'
import type { Database } from '../tenant/database.generated.js'
import { dueTasks, newestTasks, type Task } from '../tenant/tasks.js'
import { html, type Html, respond } from './html.js'
import script from './tasks-client.js?raw'

/** Reads the tenant's database from the Worker, in one round trip. */
export async function tasksPage(
  { userName, tenantName }: Session,
  db: Kysely<Database>,
  usage: readonly { day: string; changes: number }[],
): Promise<Response> {
  const [tasks, due] = await batch(db, [newestTasks(db), dueTasks(db)])
  return respond(
    tenantName,
    html`<p>
        ${userName} <button id="sign-out">Sign out</button> <a href="/export">Export</a>
        <button id="archive-done">Archive what is done</button>
        <button id="invite">Invite</button>
      </p>
      <form id="add">
        <input name="title" placeholder="What is to be done?" maxlength="200" required />
        <input name="due_at" type="date" />
        <button>Add</button>
      </form>
      <output></output>
      <ul>
        ${tasks.map(item)}
      </ul>
      <p>${due.map(({ title, due_at }) => `Due ${day(due_at)}: ${title}. `)}</p>
      <p><small>${usage.map(({ day, changes }) => `${day}: ${changes} changes. `)}</small></p>`,
    script,
  )
}

/** The client makes the same of a task that it is told of. */
function item({ id, title, due_at, labels }: Task): Html {
  return html`<li id="${id}">
    <button>Done</button> <span>${title}</span> <small>${[day(due_at), ...labels].join(' ')}</small>
  </li>`
}

function day(date: Date | null): string {
  return date?.toISOString().slice(0, 10) ?? ''
}
