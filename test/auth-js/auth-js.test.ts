import { expect, it } from 'vitest'
import { type AuthScope, withAuthJs } from './harness.js'

const born = new Date('2026-11-21T10:00:00.123Z')
const expires = new Date('2026-12-21T10:00:00.456Z')

const ada = { name: 'Ada', email: 'ada@example.com', emailVerified: born, image: null }
const account = {
  type: 'oauth',
  provider: 'github',
  providerAccountId: '7',
  expires_at: 1_800_000_000,
} as const

async function signUp({ adapter }: AuthScope) {
  const user = await adapter.createUser({ ...ada, id: 'ignored' })
  await adapter.linkAccount({ ...account, userId: user.id })
  await adapter.createSession({ sessionToken: 'secret', userId: user.id, expires })
  return user
}

it('should keep users, with their dates', () =>
  withAuthJs(async (scope) => {
    const { adapter, sql } = scope
    const user = await signUp(scope)
    expect(user).toEqual({ ...ada, id: expect.any(String) })
    expect(sql.exec('select emailVerified from User').one()).toEqual({
      emailVerified: born.toISOString(),
    })
    expect(await adapter.getUser(user.id)).toEqual(user)
    expect(await adapter.getUserByEmail(ada.email)).toEqual(user)
    expect(await adapter.getUserByAccount(account)).toEqual(user)
    expect(await adapter.getUser('nobody')).toBeNull()
    expect(await adapter.getUserByEmail('nobody')).toBeNull()
    expect(await adapter.getUserByAccount({ ...account, provider: 'other' })).toBeNull()
  }))

it('should change a user, and return the user changed', () =>
  withAuthJs(async (scope) => {
    const { adapter } = scope
    const user = await signUp(scope)
    const changed = { ...user, name: 'Ada L.', emailVerified: expires }
    expect(
      await adapter.updateUser({ id: user.id, name: 'Ada L.', emailVerified: expires }),
    ).toEqual(changed)
    expect(await adapter.getUser(user.id)).toEqual(changed)
  }))

it('should keep, change and end sessions, with their dates', () =>
  withAuthJs(async (scope) => {
    const { adapter } = scope
    const user = await signUp(scope)
    const session = { sessionToken: 'secret', userId: user.id, expires }
    expect(await adapter.getSessionAndUser('secret')).toEqual({ session, user })
    expect(await adapter.updateSession({ sessionToken: 'secret', expires: born })).toEqual({
      ...session,
      expires: born,
    })
    await adapter.deleteSession('secret')
    expect(await adapter.getSessionAndUser('secret')).toBeNull()
  }))

it('should take a verification token once', () =>
  withAuthJs(async ({ adapter }) => {
    const token = { identifier: ada.email, token: 'hash', expires }
    expect(await adapter.createVerificationToken(token)).toEqual(token)
    expect(await adapter.useVerificationToken({ ...token, identifier: 'other' })).toBeNull()
    expect(await adapter.useVerificationToken(token)).toEqual(token)
    expect(await adapter.useVerificationToken(token)).toBeNull()
  }))

it('should delete a user with accounts and sessions', () =>
  withAuthJs(async (scope) => {
    const { adapter, sql } = scope
    const user = await signUp(scope)
    await adapter.unlinkAccount(account)
    expect(await adapter.getUserByAccount(account)).toBeNull()
    await adapter.linkAccount({ ...account, userId: user.id })
    await adapter.deleteUser(user.id)
    expect(
      sql
        .exec(
          `select (select count(*) from User) as users, (select count(*) from Account) as accounts,
             (select count(*) from Session) as sessions`,
        )
        .one(),
    ).toEqual({ users: 0, accounts: 0, sessions: 0 })
  }))
