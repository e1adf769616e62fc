import { expect, it } from 'vitest'
import { startExample, withStateDirectory } from './example.ts'

async function send(method: string, url: URL, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.json() }
}

const ada = {
  id: 1,
  name: 'Ada',
  email: 'ada@example.com',
  books: [
    {
      id: 1,
      title: 'Notes',
      version: 1,
      author: 1,
      tags: [{ name: 'science' }, { name: 'sql' }],
    },
  ],
}

it('should serve the MikroORM example with `npm start`', { timeout: 120_000 }, () =>
  withStateDirectory(async (state) => {
    {
      await using example = await startExample('mikro-orm', state)
      const authors = new URL('/authors', example.url)
      expect(
        await send('POST', authors, [
          {
            name: 'Ada',
            email: 'ada@example.com',
            books: [{ title: 'Notes', tags: ['science', 'sql'] }],
          },
          { name: 'Grace', email: 'grace@example.com' },
        ]),
      ).toEqual({ status: 201, body: { ids: [1, 2] } })
      expect(
        await send('POST', authors, [
          { name: 'Eve', email: 'eve@example.com', books: [{ title: 'Lost', tags: ['lost'] }] },
          { name: 'Eve', email: 'ada@example.com' },
        ]),
      ).toEqual({ status: 409, body: { error: 'That address is taken.' } })
      expect(await send('DELETE', new URL('/authors/2', example.url))).toEqual({
        status: 200,
        body: { deleted: 1 },
      })
      expect(await send('GET', authors)).toEqual({ status: 200, body: [ada] })
    }
    // The object wakes up, as of the oldest date, with its tables made.
    await using example = await startExample(
      'mikro-orm',
      state,
      '--compatibility-date',
      '2024-09-23',
    )
    const book = new URL('/books/1', example.url)
    expect(await send('GET', new URL('/authors', example.url))).toEqual({
      status: 200,
      body: [ada],
    })
    const changes = await Promise.all([
      send('PATCH', book, { title: 'Better notes', version: 1 }),
      send('PATCH', book, { title: 'Better notes', version: 1 }),
    ])
    expect(changes).toContainEqual({ status: 200, body: { version: 2 } })
    expect(changes).toContainEqual({
      status: 409,
      body: { error: 'The book was changed meanwhile.' },
    })
  }),
)
