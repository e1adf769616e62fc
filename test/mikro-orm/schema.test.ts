import { Migration, Migrator } from '@mikro-orm/migrations'
import { describe, expect, it } from 'vitest'
import { withoutForeignKeys } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'
import { Author, newEntities, oldEntities } from './entities.js'
import { createOrm, type Orm } from './harness.js'

async function createOldTables(storage: DurableObjectStorage, note: string | null): Promise<void> {
  await createOrm(storage, { entities: oldEntities }).schema.create()
  storage.sql.exec('insert into author (id, name, note) values (1, ?, ?)', 'Ada', note)
  storage.sql.exec('insert into book (id, author_id) values (1, 1), (2, 1)')
}

function read({ sql }: Scope<unknown>): unknown {
  return {
    authors: sql.exec('select * from author').toArray(),
    books: sql.exec('select * from book').toArray(),
    foreignKeys: sql.exec('pragma foreign_keys').one()['foreign_keys'],
    tables: [
      ...sql
        .exec(
          `select name from sqlite_master where type = 'table'
             and name not glob 'sqlite_*' and name not glob '_*' order by name`,
        )
        .raw(),
    ].flat(),
    noteRequired: sql
      .exec(`select [notnull] from pragma_table_info('author') where name = 'note'`)
      .one()['notnull'],
  }
}

const rebuilt = {
  authors: [{ id: 1, name: 'Ada', note: 'A note' }],
  books: [
    { id: 1, author_id: 1 },
    { id: 2, author_id: 1 },
  ],
  foreignKeys: 1,
  tables: ['author', 'book'],
  noteRequired: 1,
}

describe('schema.create() and schema.drop()', () => {
  it('should create all tables, and drop them', () =>
    inDurableObject(async ({ db, storage }) => {
      const orm = createOrm(storage)
      await orm.schema.create()
      const tables = await db.introspection.getTables()
      expect(tables.map(({ name }) => name)).toEqual([
        'author',
        'book',
        'book_tag',
        'sample',
        'tag',
      ])
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
      await orm.schema.drop()
      expect(await db.introspection.getTables()).toEqual([])
    }))

  it('should clear all tables', () =>
    inDurableObject(async ({ storage }) => {
      const orm = createOrm(storage)
      await orm.schema.create()
      const em = orm.em.fork()
      em.create(Author, { name: 'Ada', email: 'ada', books: [{ title: 'A book' }] })
      await em.flush()
      await orm.schema.clear()
      expect(await orm.em.fork().count(Author)).toBe(0)
    }))
})

describe('schema.update()', () => {
  it('should add tables, columns and indexes in an object with KV and an alarm', () =>
    inDurableObject(async ({ storage, sql }) => {
      await storage.put('key', 'value')
      await storage.setAlarm(Date.now() + 3_600_000)
      sql.exec(
        'create table author (id integer not null primary key autoincrement, name text not null)',
      )
      const orm = createOrm(storage, { entities: oldEntities })
      expect(await orm.schema.getUpdateSchemaSQL()).toMatchInlineSnapshot(`
        "create table \`book\` (\`id\` integer not null primary key autoincrement, \`author_id\` integer not null, constraint \`book_author_id_foreign\` foreign key (\`author_id\`) references \`author\` (\`id\`) on delete cascade);
        create index \`book_author_id_index\` on \`book\` (\`author_id\`);

        alter table \`author\` add column \`note\` text null;
        create unique index \`author_name_unique\` on \`author\` (\`name\`);
        "
      `)
      await orm.schema.update()
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
      expect(await storage.get('key')).toBe('value')
    }))

  it('should keep the rows that refer to a table that it rebuilds', () =>
    inDurableObject(async (scope) => {
      await createOldTables(scope.storage, 'A note')
      const orm = createOrm(scope.storage, { entities: newEntities })
      expect(await orm.schema.getUpdateSchemaSQL()).toMatchInlineSnapshot(`
        "pragma foreign_keys = off;
        create table \`author__temp_alter\` (\`id\` integer not null primary key autoincrement, \`name\` text not null, \`note\` text not null);
        insert into \`author__temp_alter\` select \`id\`, \`name\`, \`note\` from \`author\`;
        drop table \`author\`;
        alter table \`author__temp_alter\` rename to \`author\`;
        create unique index \`author_name_unique\` on \`author\` (\`name\`);
        pragma foreign_keys = on;
        "
      `)
      await orm.schema.update()
      expect(read(scope)).toEqual(rebuilt)
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
    }))

  it('should keep them and be one transaction in withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { storage } = scope
      await createOldTables(storage, 'A note')
      const orm = createOrm(storage, { entities: newEntities })
      await withoutForeignKeys(storage, () => orm.schema.update())
      expect(read(scope)).toEqual(rebuilt)
    }))

  it('should change nothing when it fails in withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { storage } = scope
      await createOldTables(storage, null)
      const orm = createOrm(storage, { entities: newEntities })
      await expect(withoutForeignKeys(storage, () => orm.schema.update())).rejects.toMatchObject({
        name: 'NotNullConstraintViolationException',
      })
      expect(read(scope)).toEqual({
        ...rebuilt,
        authors: [{ id: 1, name: 'Ada', note: null }],
        noteRequired: 0,
      })
    }))

  it('should stop half done when it fails without withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { storage } = scope
      await createOldTables(storage, null)
      const orm = createOrm(storage, { entities: newEntities })
      await expect(orm.schema.update()).rejects.toMatchObject({
        name: 'NotNullConstraintViolationException',
      })
      expect(read(scope)).toMatchObject({
        foreignKeys: 0,
        tables: ['author', 'author__temp_alter', 'book'],
      })
    }))
})

class Initial extends Migration {
  override up(): void {
    this.addSql(
      'create table author (id integer not null primary key autoincrement, name text not null, note text null)',
    )
    this.addSql(
      'create table book (id integer not null primary key autoincrement, author_id integer not null references author (id) on delete cascade)',
    )
  }

  override down(): void {
    this.addSql('drop table book')
    this.addSql('drop table author')
  }
}

/** What `schema.getUpdateSchemaMigrationSQL()` gives for it. */
class RequireNote extends Migration {
  override up(): void {
    this.addSql('pragma foreign_keys = off;')
    this.addSql(
      'create table `author__temp_alter` (`id` integer not null primary key autoincrement, `name` text not null, `note` text not null);',
    )
    this.addSql('insert into `author__temp_alter` select `id`, `name`, `note` from `author`;')
    this.addSql('drop table `author`;')
    this.addSql('alter table `author__temp_alter` rename to `author`;')
    this.addSql('pragma foreign_keys = on;')
  }

  override down(): void {
    this.addSql('pragma foreign_keys = off;')
    this.addSql(
      'create table `author__temp_alter` (`id` integer not null primary key autoincrement, `name` text not null, `note` text null);',
    )
    this.addSql('insert into `author__temp_alter` select `id`, `name`, `note` from `author`;')
    this.addSql('drop table `author`;')
    this.addSql('alter table `author__temp_alter` rename to `author`;')
    this.addSql('pragma foreign_keys = on;')
  }
}

class Failing extends Migration {
  override up(): void {
    this.addSql('delete from author')
    this.addSql('insert into nowhere values (1)')
  }
}

function migrate(
  storage: DurableObjectStorage,
  migrationsList: readonly (typeof Initial)[],
): Orm['migrator'] {
  return createOrm(storage, {
    extensions: [Migrator],
    migrations: {
      migrationsList: migrationsList.map((migration) => ({
        name: migration.name,
        class: migration,
      })),
      silent: true,
      snapshot: false,
    },
  }).migrator
}

async function names(executed: Promise<readonly { readonly name: string }[]>): Promise<string[]> {
  return (await executed).map(({ name }) => name)
}

describe('the migrator, with migrations from a list', () => {
  it('should migrate up and down, in an object with KV and an alarm', () =>
    inDurableObject(async ({ db, storage }) => {
      await storage.put('key', 'value')
      await storage.setAlarm(Date.now() + 3_600_000)
      const migrator = migrate(storage, [Initial])
      expect(await names(migrator.getPending())).toEqual(['Initial'])
      expect(await names(migrator.up())).toEqual(['Initial'])
      expect(await names(migrator.getExecuted())).toEqual(['Initial'])
      expect(await names(migrator.up())).toEqual([])
      expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
        'author',
        'book',
        'mikro_orm_migrations',
      ])
      expect(await names(migrator.down())).toEqual(['Initial'])
      expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
        'mikro_orm_migrations',
      ])
    }))

  it('should keep the rows that refer to a table that it rebuilds, in withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { storage, sql } = scope
      await migrate(storage, [Initial]).up()
      sql.exec(`insert into author values (1, 'Ada', 'A note')`)
      sql.exec('insert into book values (1, 1), (2, 1)')
      const migrator = migrate(storage, [Initial, RequireNote])
      expect(await names(withoutForeignKeys(storage, () => migrator.up()))).toEqual(['RequireNote'])
      const tables = ['author', 'book', 'mikro_orm_migrations']
      expect(read(scope)).toEqual({ ...rebuilt, tables })
      expect(await names(withoutForeignKeys(storage, () => migrator.down()))).toEqual([
        'RequireNote',
      ])
      expect(read(scope)).toEqual({ ...rebuilt, tables, noteRequired: 0 })
    }))

  it('should be refused before a rebuild deletes them, elsewhere', () =>
    inDurableObject(async (scope) => {
      const { storage, sql } = scope
      await migrate(storage, [Initial]).up()
      sql.exec(`insert into author values (1, 'Ada', 'A note')`)
      sql.exec('insert into book values (1, 1), (2, 1)')
      const migrator = migrate(storage, [Initial, RequireNote])
      await expect(migrator.up()).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
      expect(read(scope)).toMatchObject({ books: rebuilt.books, noteRequired: 0 })
      expect(await names(migrator.getPending())).toEqual(['RequireNote'])
    }))

  it('should undo the whole of a failing run', () =>
    inDurableObject(async ({ db, storage }) => {
      await expect(migrate(storage, [Initial, Failing]).up()).rejects.toMatchObject({
        name: 'TableNotFoundException',
        message: 'no such table: nowhere: SQLITE_ERROR',
      })
      expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
        'mikro_orm_migrations',
      ])
      expect(await names(migrate(storage, [Initial]).getExecuted())).toEqual([])
    }))
})
