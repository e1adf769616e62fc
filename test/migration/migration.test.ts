import { describe, expect, it } from 'vitest'
import { sql as raw } from 'kysely'
import {
  getMigrations,
  type MigrateOptions,
  type MigrationEvent,
  type Migrations,
  migrateTo,
  migrateToLatest,
  NO_MIGRATIONS,
} from '../../src/migration/index.js'
import { inDurableObject } from '../harness.js'
import { codeOf, dump, tableNames } from './helpers.js'

const PERSON = 'create table person (id integer primary key, name text not null)'
const PET: Migrations[string] = {
  async up(db) {
    await db.schema
      .createTable('pet')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('owner_id', 'integer', (column) => column.references('person.id'))
      .execute()
  },
  async down(db) {
    await db.schema.dropTable('pet').execute()
  },
}
const MIGRATIONS: Migrations = {
  '0002_pet': PET,
  '0001_person': { up: PERSON, down: 'drop table person' },
}

describe('migrateToLatest', () => {
  it('should apply SQL text and functions in the order of their names', () =>
    inDurableObject(async ({ storage }) => {
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0001_person', '0002_pet'])
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person', 'pet'])
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual([])
    }))

  it('should apply only what is new', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, { '0001_person': PERSON })
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0002_pet'])
    }))

  it('should hand the function a transaction, and ctx.storage.sql in it', () =>
    inDurableObject(async ({ storage }) => {
      const seen: unknown[] = []
      await migrateToLatest(storage, {
        '0001': {
          async up(db, sql) {
            sql.exec('create table a (x)')
            await db.insertInto('a').values({ x: 1 }).execute()
            seen.push(db.isTransaction, ...sql.exec('select x from a').raw())
          },
        },
      })
      expect(seen).toEqual([true, [1]])
    }))

  it('should call `up` on the migration, which may be an instance of a class', () =>
    inDurableObject(async ({ storage }) => {
      class CreateTable {
        readonly #name: string
        constructor(name: string) {
          this.#name = name
        }
        async up(db: Parameters<Exclude<(typeof PET & object)['up'], string>>[0]): Promise<void> {
          await db.schema.createTable(this.#name).addColumn('x', 'integer').execute()
        }
      }
      await migrateToLatest(storage, { '0001': new CreateTable('thing') })
      expect(tableNames(storage)).toEqual(['kysely_migration', 'thing'])
    }))

  it('should migrate anew after deleteAll() in the same instance', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      await storage.deleteAll()
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0001_person', '0002_pet'])
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person', 'pet'])
    }))

  it('should work inside blockConcurrencyWhile', () =>
    inDurableObject(async ({ ctx, storage }) => {
      const names = await ctx.blockConcurrencyWhile(() => migrateToLatest(storage, MIGRATIONS))
      expect(names).toEqual(['0001_person', '0002_pet'])
    }))

  it.each([undefined, {}, 'sql'])('should refuse what is not a storage (%j)', (given) =>
    inDurableObject(async ({ sql }) => {
      const storage = (given === 'sql' ? sql : given) as DurableObjectStorage
      expect(await codeOf(migrateToLatest(storage, MIGRATIONS))).toBe('ERR_INVALID_STORAGE')
      expect(await codeOf(migrateTo(storage, MIGRATIONS, '0001'))).toBe('ERR_INVALID_STORAGE')
      expect(await codeOf(getMigrations(storage, MIGRATIONS))).toBe('ERR_INVALID_STORAGE')
    }),
  )

  it('should work in an object that uses KV and an alarm', () =>
    inDurableObject(async ({ storage }) => {
      await storage.put('key', 1)
      await storage.setAlarm(Date.now() + 1_000_000)
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0001_person', '0002_pet'])
    }))

  it('should apply the plugins to functions, and not to the journal', () =>
    inDurableObject(async ({ storage }) => {
      const { CamelCasePlugin } = await import('kysely')
      const migrations: Migrations = {
        '0001_account': {
          async up(db) {
            await db.schema.createTable('userAccount').addColumn('id', 'integer').execute()
          },
        },
      }
      await migrateToLatest(storage, migrations, { plugins: [new CamelCasePlugin()] })
      expect(tableNames(storage)).toEqual(['kysely_migration', 'user_account'])
      expect(await migrateToLatest(storage, migrations)).toEqual([])
    }))

  it('should make the journal as Kysely does, and hide it from introspection', () =>
    inDurableObject(async ({ db, storage, sql }) => {
      await migrateToLatest(storage, MIGRATIONS)
      const columns = sql.exec(
        'select name, type, pk from pragma_table_info(?)',
        'kysely_migration',
      )
      expect([...columns.raw()]).toEqual([
        ['name', 'varchar(255)', 1],
        ['timestamp', 'varchar(255)', 0],
        ['checksum', 'TEXT', 0],
        ['fingerprint', 'TEXT', 0],
        ['bookmark', 'TEXT', 0],
      ])
      const tables = await db.introspection.getTables()
      expect(tables.map(({ name }) => name)).toEqual(['person', 'pet'])
    }))
})

describe('onMigration', () => {
  it('should be told the name, the start, the end and the rows written of each migration', () =>
    inDurableObject(async ({ storage }) => {
      const events: MigrationEvent[] = []
      const options: MigrateOptions = { onMigration: (event) => events.push(event) }
      const migrations: Migrations = {
        '0001': `create table a (x unique); insert into a values (1), (2); insert into a values (3)`,
        '0002': {
          async up(db, sql) {
            await db.insertInto('a').values({ x: 4 }).execute()
            sql.exec('insert into a values (5) returning x').one()
          },
          async down() {},
        },
      }
      await migrateToLatest(storage, migrations, options)
      await migrateTo(storage, migrations, '0001', options)
      const date = expect.any(Date)
      expect(events).toEqual([
        { name: '0001', direction: 'up', start: date, end: date, rowsWritten: 9 },
        { name: '0002', direction: 'up', start: date, end: date, rowsWritten: 4 },
        { name: '0002', direction: 'down', start: date, end: date, rowsWritten: 0 },
      ])
      expect(events.every(({ start, end }) => start <= end)).toBe(true)
    }))

  it('should end the run with its error, after the migration was committed', () =>
    inDurableObject(async ({ storage }) => {
      const failure = new Error('no more')
      const onMigration = (): never => {
        throw failure
      }
      await expect(migrateToLatest(storage, MIGRATIONS, { onMigration })).rejects.toBe(failure)
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person'])
      expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0002_pet'])
    }))
})

describe('getMigrations', () => {
  it('should tell what is applied, pending, missing and edited, and change nothing', () =>
    inDurableObject(async ({ storage }) => {
      const before = dump(storage)
      expect(await getMigrations(storage, MIGRATIONS)).toEqual([
        { name: '0001_person', state: 'pending', executedAt: undefined, checksum: undefined },
        { name: '0002_pet', state: 'pending', executedAt: undefined, checksum: undefined },
      ])
      expect(dump(storage)).toEqual(before)

      await migrateToLatest(storage, { ...MIGRATIONS, '0003_gone': 'select 1', '0004': 'select 1' })
      const executedAt = expect.any(Date)
      expect(
        await getMigrations(storage, { ...MIGRATIONS, '0004': 'select 2', '0005_new': 'select 3' }),
      ).toEqual([
        { name: '0001_person', state: 'applied', executedAt, checksum: 'same' },
        { name: '0002_pet', state: 'applied', executedAt, checksum: 'unknown' },
        { name: '0003_gone', state: 'missing', executedAt, checksum: 'unknown' },
        { name: '0004', state: 'applied', executedAt, checksum: 'edited' },
        { name: '0005_new', state: 'pending', executedAt: undefined, checksum: undefined },
      ])
    }))
})

describe('migrateTo', () => {
  it('should migrate up and down to the migration of that name', () =>
    inDurableObject(async ({ storage }) => {
      const migrations: Migrations = {
        ...MIGRATIONS,
        '0003': { up: 'create table a (x)', down: 'drop table a' },
      }
      expect(await migrateTo(storage, migrations, '0002_pet')).toEqual(['0001_person', '0002_pet'])
      expect(await migrateTo(storage, migrations, '0002_pet')).toEqual([])
      expect(await migrateTo(storage, migrations, '0003')).toEqual(['0003'])
      expect(await migrateTo(storage, migrations, '0001_person')).toEqual(['0003', '0002_pet'])
      expect(tableNames(storage)).toEqual(['kysely_migration', 'person'])
      expect(await migrateToLatest(storage, migrations)).toEqual(['0002_pet', '0003'])
    }))

  it.each([NO_MIGRATIONS, { __noMigrations__: true } as const])(
    'should undo all with NO_MIGRATIONS (%#)',
    (none) =>
      inDurableObject(async ({ storage }) => {
        await migrateToLatest(storage, MIGRATIONS)
        expect(await migrateTo(storage, MIGRATIONS, none)).toEqual(['0002_pet', '0001_person'])
        expect(tableNames(storage)).toEqual(['kysely_migration'])
        expect(await migrateToLatest(storage, MIGRATIONS)).toEqual(['0001_person', '0002_pet'])
      }),
  )

  it('should undo a migration and its journal entry together or not at all', () =>
    inDurableObject(async ({ storage }) => {
      const migrations: Migrations = {
        '0001': { up: 'create table a (x)', down: 'drop table a; drop table nope' },
      }
      await migrateToLatest(storage, migrations)
      const before = dump(storage)
      await expect(migrateTo(storage, migrations, NO_MIGRATIONS)).rejects.toThrow(
        'Migration 0001 (down) failed and was undone: no such table: nope: SQLITE_ERROR ' +
          'in statement 2 of 2: drop table nope',
      )
      expect(dump(storage)).toEqual(before)
    }))

  it('should refuse, before anything runs, an unknown name and a migration without `down`', () =>
    inDurableObject(async ({ storage }) => {
      const migrations: Migrations = { '0001': PERSON, '0002': PET }
      await migrateToLatest(storage, migrations)
      const before = dump(storage)
      expect(await codeOf(migrateTo(storage, migrations, '0003'))).toBe('ERR_MIGRATION_UNKNOWN')
      expect(await codeOf(migrateTo(storage, migrations, NO_MIGRATIONS))).toBe(
        'ERR_MIGRATION_IRREVERSIBLE',
      )
      expect(dump(storage)).toEqual(before)
    }))
})

describe('the checks', () => {
  it('should refuse, before anything runs, when an applied migration is missing', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      const before = dump(storage)
      const given: Migrations = { '0002_pet': PET, '0003_new': 'create table a (x)' }
      expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_MIGRATION_MISSING')
      await expect(migrateToLatest(storage, given)).rejects.toThrow('Migration 0001_person was')
      expect(dump(storage)).toEqual(before)
    }))

  it('should refuse, before anything runs, when the SQL text of an applied one was edited', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      const before = dump(storage)
      for (const edited of [`${PERSON} strict`, PET]) {
        const given = { ...MIGRATIONS, '0001_person': edited, '0003_new': 'create table a (x)' }
        expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_MIGRATION_EDITED')
      }
      expect(dump(storage)).toEqual(before)
    }))

  it('should not take other line ends, a `down` or an option for an edit', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, { '0001': 'create table a (\n x\n)' })
      const up = 'create table a (\r\n x\r\n)'
      expect(await migrateToLatest(storage, { '0001': up })).toEqual([])
      expect(
        await migrateToLatest(storage, {
          '0001': { up, down: 'drop table a', foreignKeys: 'off' },
        }),
      ).toEqual([])
    }))

  it('should know a function by its name only', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      const other = { ...MIGRATIONS, '0002_pet': { up: async () => {} } }
      expect(await migrateToLatest(storage, other)).toEqual([])
    }))

  it('should refuse, before anything runs, a new one that sorts before an applied one', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      const before = dump(storage)
      const given = { ...MIGRATIONS, '0001_z': 'create table z (x)' }
      expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_MIGRATION_UNORDERED')
      expect(dump(storage)).toEqual(before)
      expect(await migrateToLatest(storage, given, { allowUnorderedMigrations: true })).toEqual([
        '0001_z',
      ])
    }))

  it.each([
    ['an empty name', { ' ': 'select 1' }],
    ['an empty text', { '0001': '' }],
    ['a text without a statement', { '0001': '-- nothing\n;' }],
    ['nothing', { '0001': undefined }],
    ['a number', { '0001': 1 }],
    ['no up', { '0001': { down: 'select 1' } }],
    ['a wrong down', { '0001': { up: 'select 1', down: 1 } }],
    ['a wrong option', { '0001': { up: 'select 1', foreignKeys: 'on' } }],
  ])('should refuse %s, before anything runs', (_, wrong) =>
    inDurableObject(async ({ storage }) => {
      const before = dump(storage)
      const given = { '0000': 'create table a (x)', ...wrong } as unknown as Migrations
      expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_INVALID_MIGRATION')
      expect(dump(storage)).toEqual(before)
    }),
  )

  it('should notice an entry that a migration itself deleted from the journal', () =>
    inDurableObject(async ({ storage }) => {
      const given = { ...MIGRATIONS, '0003': `delete from kysely_migration where name < '0002'` }
      await migrateToLatest(storage, given)
      expect(await codeOf(migrateToLatest(storage, given))).toBe('ERR_MIGRATION_UNORDERED')
    }))

  it('should give ascending times to the journal, also where the clock was ahead', () =>
    inDurableObject(async ({ storage, sql }) => {
      const timestamps = (): unknown[] => [
        ...sql.exec('select timestamp from kysely_migration order by name').raw(),
      ]
      await migrateToLatest(storage, { '0001_person': PERSON })
      sql.exec(`update kysely_migration set timestamp = '2999-12-31T00:00:00.000Z'`)
      await migrateToLatest(storage, { ...MIGRATIONS, '0001_person': PERSON, '0003': 'select 1' })
      expect(timestamps()).toEqual([
        ['2999-12-31T00:00:00.000Z'],
        ['2999-12-31T00:00:00.001Z'],
        ['2999-12-31T00:00:00.002Z'],
      ])
    }))

  it('should notice an entry that was deleted from the middle of the journal', () =>
    inDurableObject(async ({ db, storage }) => {
      await migrateToLatest(storage, MIGRATIONS)
      await raw`delete from kysely_migration where name = '0001_person'`.execute(db)
      expect(await codeOf(migrateToLatest(storage, MIGRATIONS))).toBe('ERR_MIGRATION_UNORDERED')
    }))
})
