import { actions, join } from './actions.js'
import { type Answer, check, Refusal } from './answer.js'
import type { Session } from './directory/directory.js'
import { importLines } from './import-lines.js'
import { signInPage } from './pages/sign-in.js'
import { tasksPage } from './pages/tasks.js'
import { archiveDone } from './tenant/archive-done.js'
import { withDatabase } from './tenant/remote.js'
import type { Tenant } from './tenant/tenant.js'

export { Directory } from './directory/directory.js'
export { Tenant } from './tenant/tenant.js'

const SIGN_OUT = '/api/auth/sign-out'

export default {
  async fetch(request, env): Promise<Response> {
    try {
      return await route(request, env)
    } catch (error) {
      if (error instanceof Refusal) {
        return json({ refusal: error.message })
      }
      console.error(error)
      return Response.json({ error: 'Something went wrong.' }, { status: 500 })
    }
  },
} satisfies ExportedHandler<Env>

async function route(request: Request, env: Env): Promise<Response> {
  const { pathname, origin } = new URL(request.url)
  if ((request.headers.get('origin') ?? origin) !== origin) {
    return Response.json({ error: 'Not from another site.' }, { status: 403 })
  }
  const directory = env.DIRECTORY.getByName('main')
  if (pathname.startsWith('/api/auth/') && pathname !== SIGN_OUT) {
    return directory.fetch(request)
  }
  const session = await directory.session(request.headers)
  if (session === null) {
    return pathname === '/' ? signInPage() : Response.json({ error: 'Sign in.' }, { status: 401 })
  }
  // Which tenant: what the session says, and nothing else of the request.
  const getTenant = (): DurableObjectStub<Tenant> => env.TENANT.getByName(session.tenantId)
  const tenant = getTenant()
  switch (`${request.method} ${pathname}`) {
    case `POST ${SIGN_OUT}`:
      await tenant.disconnect(session.userId)
      return directory.fetch(request)
    case 'GET /':
      return withDatabase(getTenant, async (db) =>
        tasksPage(session, db, await directory.usage(session.tenantId)),
      )
    case 'GET /live':
      return tenant.fetch(watch(request, session))
    case 'GET /export':
      return download(await tenant.exportTasks())
    case 'POST /import':
      return json({ value: await importLines(request.body, tenant) })
    case 'POST /archive': {
      const value = await withDatabase(getTenant, archiveDone)
      await tenant.announce()
      return json({ value })
    }
    case 'POST /join': {
      const { code } = await check(join, await body(request))
      const value = await directory.acceptInvitation(session.userId, code)
      if (value) {
        await tenant.disconnect(session.userId)
      }
      return json({ value })
    }
    case 'DELETE /tenant':
      await directory.deleteTenant(session.tenantId)
      return json({ value: null })
    default:
      return act(request, pathname, tenant)
  }
}

/** `POST /actions/<name>` with the arguments as JSON. */
async function act(
  request: Request,
  pathname: string,
  tenant: DurableObjectStub<Tenant>,
): Promise<Response> {
  const name = pathname.replace(/^\/actions\//, '')
  if (request.method !== 'POST' || !isAction(name)) {
    return Response.json({ error: 'There is no such thing.' }, { status: 404 })
  }
  const input = await body(request)
  await check(actions[name], input)
  return json(await tenant[name](input))
}

async function body(request: Request): Promise<unknown> {
  try {
    return await request.json()
  } catch {
    throw new Refusal('The body is not JSON.')
  }
}

function isAction(name: string): name is keyof typeof actions {
  return Object.hasOwn(actions, name)
}

function json(answer: Answer<unknown>): Response {
  return Response.json(answer, { status: 'refusal' in answer ? 400 : 200 })
}

/** The object believes the header, which nobody but this Worker can send it. */
function watch(request: Request, { userId }: Session): Request {
  if (request.headers.get('upgrade') !== 'websocket') {
    throw new Refusal('It takes a WebSocket.')
  }
  const watching = new Request(request)
  watching.headers.set('x-user', userId)
  return watching
}

function download(lines: ReadableStream): Response {
  return new Response(lines, {
    headers: {
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="tasks.ndjson"',
    },
  })
}
