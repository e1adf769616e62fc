import { SqliteAdapter } from 'kysely'
import { expect, it } from 'vitest'
import { inDurableObject } from '../harness.js'

it('should be a SqliteAdapter, for which programs ask, with abilities of its own', () =>
  inDurableObject(async ({ db }) => {
    const { adapter } = db.getExecutor()
    expect(adapter).toBeInstanceOf(SqliteAdapter)
    const { supportsMultipleConnections, supportsReturning, supportsTransactionalDdl } = adapter
    expect({ supportsMultipleConnections, supportsReturning, supportsTransactionalDdl }).toEqual({
      supportsMultipleConnections: true,
      supportsReturning: true,
      supportsTransactionalDdl: true,
    })
  }))
