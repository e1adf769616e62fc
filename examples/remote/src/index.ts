import { Kysely } from 'kysely'
import { RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'
import { createAuth } from './auth.js'
import type { Database } from './database.js'
import { addNote, renderPage } from './page.js'

export { Tenant } from './tenant.js'

export default {
  async fetch(request, env) {
    // One for each request, and with it one session.
    const db = new Kysely<Database>({
      dialect: new RemoteDurableObjectDialect(() => env.TENANT.getByName('main').database()),
    })
    try {
      return await route(request, db, env.BETTER_AUTH_SECRET)
    } finally {
      await db.destroy()
    }
  },
} satisfies ExportedHandler<Cloudflare.Env>

async function route(request: Request, db: Kysely<Database>, secret: string): Promise<Response> {
  const { pathname } = new URL(request.url)
  const auth = await createAuth(db, secret)
  if (pathname.startsWith('/api/auth/')) {
    return auth.handler(request)
  }
  const session = await auth.api.getSession({ headers: request.headers })
  switch (`${request.method} ${pathname}`) {
    case 'GET /': {
      const page = await renderPage(db, session?.user.name)
      return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } })
    }
    case 'POST /notes': {
      if (session === null) {
        return new Response('Sign in first.', { status: 401 })
      }
      const text = (await request.formData()).get('text')
      if (typeof text !== 'string' || text === '') {
        return new Response('A note has a text.', { status: 400 })
      }
      await addNote(db, session.user.name, text)
      return new Response(null, { status: 303, headers: { location: '/' } })
    }
    default:
      return new Response('Not found', { status: 404 })
  }
}
