import type { Kysely } from 'kysely'
import { batch } from 'kysely-durable-sqlite/remote'
import type { Database } from './database.js'

/** The page, from two queries that travel together. */
export async function renderPage(db: Kysely<Database>, user: string | undefined): Promise<string> {
  const [notes, authors] = await batch(db, [
    db.selectFrom('note').selectAll().orderBy('id', 'desc').limit(20),
    db.selectFrom('author').selectAll().orderBy('notes', 'desc'),
  ])
  return `<!doctype html>
<title>Notes</title>
<h1>Notes</h1>
${
  user === undefined
    ? '<p>Sign in to write one: the README has the commands.</p>'
    : `<form method="post" action="/notes">
  <input name="text" required aria-label="Note"> <button>Add as ${escape(user)}</button>
</form>`
}
<ul>${notes.map(({ author, text }) => `<li>${escape(author)}: ${escape(text)}</li>`).join('')}</ul>
<p>${authors.map(({ name, notes }) => `${escape(name)} wrote ${notes}.`).join(' ')}</p>
`
}

/** Adds the note and counts it, or does neither. */
export async function addNote(db: Kysely<Database>, author: string, text: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.insertInto('note').values({ author, text }).execute()
    const counted = await trx
      .updateTable('author')
      .set((eb) => ({ notes: eb('notes', '+', 1) }))
      .where('name', '=', author)
      .executeTakeFirstOrThrow()
    if (counted.numUpdatedRows === 0n) {
      await trx.insertInto('author').values({ name: author, notes: 1 }).execute()
    }
  })
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
