import { expect, it } from 'vitest'
import { startExample, withStateDirectory } from './example.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly cookie: string
}

/** As a browser would, with the cookie that the Worker set. */
async function send(method: string, url: string, body?: unknown, cookie = ''): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', origin: new URL(url).origin, cookie },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return {
    status: response.status,
    body: await response.json(),
    cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? '',
  }
}

const password = 'correct horse'
const ISO_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

it('should serve the better-auth example with `npm start`', { timeout: 120_000 }, () =>
  withStateDirectory(async (state) => {
    let cookie: string
    {
      await using example = await startExample('better-auth', state)
      const { url } = example
      expect(await send('GET', `${url}/me`)).toMatchObject({ status: 401 })
      expect(
        await send('POST', `${url}/api/auth/sign-up/email`, {
          name: 'Ada',
          email: 'ada@example.com',
          password,
        }),
      ).toMatchObject({ status: 200, body: { user: { name: 'Ada' } } })
      const wrong = { email: 'ada@example.com', password: 'wrong' }
      expect(await send('POST', `${url}/api/auth/sign-in/email`, wrong)).toMatchObject({
        status: 401,
      })
      const signedIn = await send('POST', `${url}/api/auth/sign-in/email`, {
        email: 'ada@example.com',
        password,
      })
      expect(signedIn).toMatchObject({ status: 200, body: { user: { name: 'Ada' } } })
      cookie = signedIn.cookie
      expect(await send('GET', `${url}/clean-up`)).toMatchObject({
        status: 200,
        body: { last: expect.stringMatching(ISO_DATE), next: expect.stringMatching(ISO_DATE) },
      })
    }
    // The object wakes up, as of the oldest date, with its tables made, its KV and its alarm set.
    await using example = await startExample(
      'better-auth',
      state,
      '--compatibility-date',
      '2024-09-23',
    )
    const { url } = example
    expect(await send('GET', `${url}/me`, undefined, cookie)).toMatchObject({
      status: 200,
      body: { name: 'Ada', email: 'ada@example.com' },
    })
    expect(await send('POST', `${url}/api/auth/sign-out`, {}, cookie)).toMatchObject({
      status: 200,
      body: { success: true },
    })
    expect(await send('GET', `${url}/me`, undefined, cookie)).toMatchObject({ status: 401 })
  }),
)
