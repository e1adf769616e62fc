/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest'
import { migrateToLatest, migrationsFromFiles } from '../../src/migration/index.js'
import person from '../fixtures/migrations/0001_person.sql?raw'
import { inDurableObject } from '../harness.js'
import { codeOf, tableNames } from './helpers.js'

describe('migrationsFromFiles', () => {
  it("should take what Vite's import.meta.glob returns", () =>
    inDurableObject(async ({ storage }) => {
      const files = import.meta.glob<string>('../fixtures/migrations/*.sql', {
        query: '?raw',
        import: 'default',
        eager: true,
      })
      expect(await migrateToLatest(storage, migrationsFromFiles(files))).toEqual([
        '0001_person',
        '0002_pet',
      ])
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person', 'pet'])
    }))

  it('should name a migration as its file, and one in migration.sql as its folder', () => {
    const up = async (): Promise<void> => {}
    expect(
      migrationsFromFiles({
        './migrations/0001_person.sql': { default: person },
        'C:\\app\\migrations\\0002.a.ts': { up },
        '0003.js': { default: { up } },
        '/drizzle/0004_name/migration.sql': 'select 4',
      }),
    ).toEqual({
      '0001_person': person,
      '0002.a': { up },
      '0003': { up },
      '0004_name': 'select 4',
    })
  })

  it('should refuse two files of one name', async () => {
    const files = { './a/0001.sql': 'select 1', './b/0001.sql': 'select 2' }
    expect(await codeOf(Promise.resolve().then(() => migrationsFromFiles(files)))).toBe(
      'ERR_INVALID_MIGRATION',
    )
  })
})
