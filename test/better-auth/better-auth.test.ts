import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AuthDatabase, createAuth } from '../../examples/better-auth/src/auth.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'

const SECRET = 'only-for-the-tests-0123456789abcdefg'

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly cookie: string
}

interface AuthScope extends Scope<AuthDatabase> {
  readonly post: (path: string, body: unknown, cookie?: string) => Promise<Answer>
  readonly get: (path: string, cookie?: string) => Promise<Answer>
}

/** From a Worker each of better-auth's migrations is a transaction of its own. */
const outsideStorage = {
  transaction: (run: () => Promise<unknown>) => run(),
} as unknown as DurableObjectStorage

/** Runs the body in an object of its own that uses KV and an alarm, and has better-auth in it. */
function withAuth(body: (scope: AuthScope) => Promise<void>): Promise<void> {
  return inDurableObject<AuthDatabase>(async (scope) => {
    await scope.inside(async ({ storage }) => {
      await storage.put('key', 'value')
      await storage.setAlarm(Date.now() + 3_600_000)
    })
    const auth = await createAuth(scope.db, isRemote ? outsideStorage : scope.storage, SECRET)
    const send = async (path: string, init: RequestInit, cookie = ''): Promise<Answer> => {
      const response = await auth.handler(
        new Request(`http://localhost:8787/api/auth/${path}`, {
          ...init,
          headers: { 'content-type': 'application/json', origin: 'http://localhost:8787', cookie },
        }),
      )
      const [setCookie = ''] = response.headers.getSetCookie()
      return {
        status: response.status,
        body: JSON.parse((await response.text()) || 'null'),
        cookie: setCookie.split(';')[0]!,
      }
    }
    await body({
      ...scope,
      post: (path, sent, cookie) =>
        send(path, { method: 'POST', body: JSON.stringify(sent) }, cookie),
      get: (path, cookie) => send(path, {}, cookie),
    })
  })
}

afterEach(() => {
  vi.restoreAllMocks()
})

const ada = { name: 'Ada', email: 'ada@example.com', password: 'correct horse' }

describe('better-auth', () => {
  it('should sign up, sign in, know the session, and sign out', () =>
    withAuth(async ({ get, post }) => {
      expect(await post('sign-up/email', ada)).toMatchObject({
        status: 200,
        body: { user: { name: 'Ada', email: 'ada@example.com', emailVerified: false } },
      })
      const { password } = ada
      const signedIn = await post('sign-in/email', { email: ada.email, password })
      expect(signedIn).toMatchObject({ status: 200, body: { user: { name: 'Ada' } } })
      expect(await get('get-session', signedIn.cookie)).toMatchObject({
        status: 200,
        body: { user: { email: 'ada@example.com' } },
      })
      expect(await post('sign-out', {}, signedIn.cookie)).toMatchObject({
        status: 200,
        body: { success: true },
      })
      expect(await get('get-session', signedIn.cookie)).toMatchObject({ status: 200, body: null })
    }))

  it('should refuse a wrong password and an address that is taken', () =>
    withAuth(async ({ post }) => {
      vi.spyOn(console, 'warn').mockReturnValue()
      await post('sign-up/email', ada)
      expect(await post('sign-in/email', { email: ada.email, password: 'wrong' })).toMatchObject({
        status: 401,
        body: { code: 'INVALID_EMAIL_OR_PASSWORD' },
      })
      expect(await post('sign-up/email', ada)).toMatchObject({
        status: 422,
        body: { code: 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL' },
      })
    }))

  it('should store dates as text and booleans as numbers', () =>
    withAuth(async ({ post, exec }) => {
      await post('sign-up/email', ada)
      expect(
        await exec(
          `select typeof(createdAt) as created, typeof(emailVerified) as verified,
             (select typeof(expiresAt) from session) as expires from user`,
        ),
      ).toEqual([{ created: 'text', verified: 'integer', expires: 'text' }])
    }))

  it('should create a user once when requests overlap', () =>
    withAuth(async ({ post, exec }) => {
      vi.spyOn(console, 'error').mockReturnValue()
      const answers = await Promise.all([1, 2, 3].map(() => post('sign-up/email', ada)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(await exec('select count(*) as n from user')).toEqual([{ n: 1 }])
    }))

  it('should undo a sign-up that fails half way', () =>
    withAuth(async ({ post, exec }) => {
      vi.spyOn(console, 'error').mockReturnValue()
      await exec(`create trigger refuse before insert on account
        begin select raise(abort, 'refused'); end`)
      expect(await post('sign-up/email', ada)).toMatchObject({ status: 500 })
      expect(await exec('select count(*) as n from user')).toEqual([{ n: 0 }])
    }))
})

describe('the id NaN', () => {
  it('should be refused where ids are numbers, as better-auth makes the number NaN of it', () =>
    inDurableObject<AuthDatabase>(async ({ db }) => {
      const options = {
        secret: SECRET,
        database: { db, type: 'sqlite' as const },
        baseURL: 'http://localhost:8787',
        advanced: { database: { generateId: 'serial' as const } },
      }
      const { runMigrations } = await getMigrations(options)
      await runMigrations()
      const { internalAdapter } = await betterAuth(options).$context
      expect(await internalAdapter.findUserById('7')).toBeNull()
      await expect(internalAdapter.findUserById('NaN')).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED_PARAMETER',
        message: expect.stringContaining('for the column user.id, is NaN'),
      })
    }))
})

describe('its migrations', () => {
  it('should create the tables, and nothing the second time', () =>
    inDurableObject<AuthDatabase>(async (scope) => {
      const { db, inside } = scope
      await inside(async (object) => {
        await object.storage.put('key', 'value')
        await object.storage.setAlarm(Date.now() + 3_600_000)
      })
      const storage = isRemote ? outsideStorage : scope.storage
      await createAuth(db, storage, SECRET)
      const tables = await db.introspection.getTables()
      expect(tables.map(({ name }) => name)).toEqual(['account', 'session', 'user', 'verification'])
      const { options } = await createAuth(db, storage, SECRET)
      expect(await getMigrations(options)).toMatchObject({ toBeCreated: [], toBeAdded: [] })
      expect(await inside((object) => object.storage.get('key'))).toBe('value')
    }))

  it('should need nothing in an object that uses KV and an alarm', () =>
    inDurableObject<AuthDatabase>(async ({ db, exec, inside }) => {
      await inside(async ({ storage }) => {
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
      })
      const options = { secret: SECRET, database: { db, type: 'sqlite' as const } }
      const { runMigrations } = await getMigrations(options)
      await runMigrations()
      expect(await exec(`select name from sqlite_master where name glob '_cf_*'`)).toEqual([
        { name: '_cf_KV' },
        { name: '_cf_METADATA' },
      ])
      expect(await getMigrations(options)).toMatchObject({ toBeCreated: [], toBeAdded: [] })
    }))
})
