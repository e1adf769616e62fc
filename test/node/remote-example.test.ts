import { expect, it } from 'vitest'
import { startExample, withStateDirectory } from './example.ts'

const ada = { name: 'Ada <3', email: 'ada@example.com', password: 'correct horse' }

it('should serve the remote example with `npm start`', { timeout: 120_000 }, () =>
  withStateDirectory(async (state) => {
    let cookie = ''
    {
      await using example = await startExample('remote', state)
      const { url } = example
      const origin = new URL(url).origin
      expect(await (await fetch(url)).text()).toContain('Sign in to write one')
      const refused = await fetch(`${url}/notes`, { method: 'POST', body: 'text=Hello' })
      expect(refused.status).toBe(401)

      const signedUp = await fetch(`${url}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify(ada),
      })
      expect(signedUp.status).toBe(200)
      cookie = signedUp.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      for (const text of ['Hello', 'a & b']) {
        const added = await fetch(`${url}/notes`, {
          method: 'POST',
          headers: { cookie, origin },
          body: new URLSearchParams({ text }),
          redirect: 'manual',
        })
        expect([added.status, added.headers.get('location')]).toEqual([303, '/'])
      }
    }
    // The object wakes up, as of the oldest date.
    await using example = await startExample('remote', state, '--compatibility-date', '2024-09-23')
    const page = await (await fetch(example.url, { headers: { cookie } })).text()
    expect(page).toContain('<button>Add as Ada &lt;3</button>')
    expect(page).toContain('<li>Ada &lt;3: a &amp; b</li><li>Ada &lt;3: Hello</li>')
    expect(page).toContain('Ada &lt;3 wrote 2.')
  }),
)
