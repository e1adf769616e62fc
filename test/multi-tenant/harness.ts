import { runInDurableObject } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import type { Directory, Tenant } from '../../examples/multi-tenant/src/index.js'

export { env }

/** The object of a new tenant, of which the directory knows nothing. */
export function newTenant(): DurableObjectStub<Tenant> {
  return env.TENANT.getByName(crypto.randomUUID())
}

export function directory(): DurableObjectStub<Directory> {
  return env.DIRECTORY.getByName('main')
}

/** What the statement returns, run inside the object. */
export function query(
  stub: DurableObjectStub<Directory> | DurableObjectStub<Tenant>,
  sql: string,
  ...values: unknown[]
): Promise<unknown[]> {
  return runInDurableObject(stub, (_, { storage }) => storage.sql.exec(sql, ...values).toArray())
}

/** Someone who has just signed up, as a browser is: its requests carry the cookie. */
export interface User {
  readonly tenantId: string
  readonly send: (method: string, path: string, body?: unknown) => Promise<Response>
}

const ORIGIN = 'http://localhost:8787'

export async function signUp(): Promise<User> {
  const headers = { 'content-type': 'application/json', origin: ORIGIN }
  const response = await exports['default'].fetch(`${ORIGIN}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { ...headers, host: 'localhost:8787' },
    body: JSON.stringify({
      name: 'Ada',
      email: `${crypto.randomUUID()}@example.com`,
      password: 'correct horse',
    }),
  })
  const { user } = await response.json<{ user: { tenantId: string } }>()
  const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!
  return {
    tenantId: user.tenantId,
    send: (method, path, body) =>
      exports['default'].fetch(`${ORIGIN}${path}`, {
        method,
        headers: { ...headers, host: 'localhost:8787', cookie },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  }
}
