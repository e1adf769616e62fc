import { describe, expect, it } from 'vitest'
import { inDurableObject } from './harness.js'

describe('db.introspection', () => {
  it('should show what the user made, in an object that has used KV and an alarm', () =>
    inDurableObject(async ({ db, storage, sql }) => {
      await storage.put('key', 'value')
      await storage.setAlarm(Date.now() + 3_600_000)
      sql.exec(`
        create table person (id integer primary key autoincrement, name text not null default 'Ada');
        create table acf_x (a real);
        create view names as select name from person;
        create table kysely_migration (name text primary key);
        insert into person default values`)
      expect(await db.introspection.getSchemas()).toEqual([])
      expect(await db.introspection.getTables()).toEqual([
        {
          name: 'acf_x',
          isView: false,
          isForeign: false,
          columns: [
            {
              name: 'a',
              dataType: 'REAL',
              isNullable: true,
              isAutoIncrementing: false,
              hasDefaultValue: false,
            },
          ],
        },
        {
          name: 'names',
          isView: true,
          isForeign: false,
          columns: [
            {
              name: 'name',
              dataType: 'TEXT',
              isNullable: true,
              isAutoIncrementing: false,
              hasDefaultValue: false,
            },
          ],
        },
        {
          name: 'person',
          isView: false,
          isForeign: false,
          columns: [
            {
              name: 'id',
              dataType: 'INTEGER',
              isNullable: false,
              isAutoIncrementing: true,
              hasDefaultValue: false,
            },
            {
              name: 'name',
              dataType: 'TEXT',
              isNullable: false,
              isAutoIncrementing: false,
              hasDefaultValue: true,
            },
          ],
        },
      ])
    }))

  it("should show Kysely's own tables when it is asked for them", () =>
    inDurableObject(async ({ db, sql }) => {
      sql.exec('create table kysely_migration (name text primary key)')
      expect(await db.introspection.getTables()).toEqual([])
      const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
      expect(tables.map(({ name }) => name)).toEqual(['kysely_migration'])
    }))
})
