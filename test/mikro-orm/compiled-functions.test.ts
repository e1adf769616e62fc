import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inDurableObject } from '../harness.js'
import { Author, entitiesWithoutPivotEntity } from './entities.js'
import { createOrm, withOrm } from './harness.js'

it('should run with code generation refused', () => {
  // oxlint-disable-next-line no-new-func, no-implied-eval, typescript/no-implied-eval -- what is refused
  expect(() => new Function('return 1')).toThrow(EvalError)
  // oxlint-disable-next-line no-eval -- what is refused
  expect(() => globalThis.eval('1')).toThrow(EvalError)
})

describe('compiled functions', () => {
  // MikroORM prints the code that it could not compile.
  beforeEach(() => {
    vi.spyOn(console, 'error').mockReturnValue()
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('should be found in every object of the isolate', async () => {
    for (const name of ['Ada', 'Grace', 'Eve']) {
      await withOrm(async ({ orm, em }) => {
        em.create(Author, { name, email: name, books: [{ title: 'A book', tags: [{ name }] }] })
        await em.flush()
        const [author] = await orm.em.fork().findAll(Author, { populate: ['books.tags'] })
        expect(author?.books[0]?.tags[0]?.name).toBe(name)
      })
    }
  })

  it('should not be found without them', () =>
    inDurableObject(({ dialect }) => {
      expect(() => createOrm(dialect, { compiledFunctions: {} })).toThrow(EvalError)
    }))

  it('should not be found for a pivot table without an entity, in a second object', () =>
    inDurableObject(({ dialect }) => {
      const create = (): unknown => createOrm(dialect, { entities: entitiesWithoutPivotEntity })
      expect(() => [create(), create()]).toThrow(EvalError)
    }))
})
