import { Migration, Migrator } from '@mikro-orm/migrations'
import type { Dialect } from 'kysely'
import { describe, expect, it } from 'vitest'
import { withoutForeignKeys } from '../../src/index.js'
import { inDurableObject, isRemote, type Scope } from '../harness.js'
import { Author, newEntities, oldEntities } from './entities.js'
import { createOrm, type Orm } from './harness.js'

async function createOldTables(
  { dialect, exec }: Scope<unknown>,
  note: string | null,
): Promise<void> {
  await createOrm(dialect, { entities: oldEntities }).schema.create()
  await exec('insert into author (id, name, note) values (1, ?, ?)', 'Ada', note)
  await exec('insert into book (id, author_id) values (1, 1), (2, 1)')
}

async function read({ exec }: Scope<unknown>): Promise<unknown> {
  const tables = await exec(
    `select name from sqlite_master where type = 'table'
       and name not glob 'sqlite_*' and name not glob '_*' order by name`,
  )
  const [pragma] = await exec('pragma foreign_keys')
  const [note] = await exec(`select [notnull] from pragma_table_info('author') where name = 'note'`)
  return {
    authors: await exec('select * from author'),
    books: await exec('select * from book'),
    foreignKeys: pragma?.['foreign_keys'],
    tables: tables.map(({ name }) => name),
    noteRequired: note?.['notnull'],
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
    inDurableObject(async ({ db, dialect }) => {
      const orm = createOrm(dialect)
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
    inDurableObject(async ({ dialect }) => {
      const orm = createOrm(dialect)
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
    inDurableObject(async ({ dialect, exec, inside }) => {
      await inside(async ({ storage }) => {
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
      })
      await exec(
        'create table author (id integer not null primary key autoincrement, name text not null)',
      )
      const orm = createOrm(dialect, { entities: oldEntities })
      expect(await orm.schema.getUpdateSchemaSQL()).toMatchInlineSnapshot(`
        "create table \`book\` (\`id\` integer not null primary key autoincrement, \`author_id\` integer not null, constraint \`book_author_id_foreign\` foreign key (\`author_id\`) references \`author\` (\`id\`) on delete cascade);
        create index \`book_author_id_index\` on \`book\` (\`author_id\`);

        alter table \`author\` add column \`note\` text null;
        create unique index \`author_name_unique\` on \`author\` (\`name\`);
        "
      `)
      await orm.schema.update()
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
      expect(await inside(({ storage }) => storage.get('key'))).toBe('value')
    }))

  it('should keep the rows that refer to a table that it rebuilds', () =>
    inDurableObject(async (scope) => {
      await createOldTables(scope, 'A note')
      const orm = createOrm(scope.dialect, { entities: newEntities })
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
      expect(await read(scope)).toEqual(rebuilt)
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('')
    }))

  // Not remote: withoutForeignKeys() runs inside the object.
  it.skipIf(isRemote)('should keep them and be one transaction in withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { dialect, storage } = scope
      await createOldTables(scope, 'A note')
      const orm = createOrm(dialect, { entities: newEntities })
      await withoutForeignKeys(storage, () => orm.schema.update())
      expect(await read(scope)).toEqual(rebuilt)
    }),
  )

  // Not remote: withoutForeignKeys() runs inside the object.
  it.skipIf(isRemote)('should change nothing when it fails in withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { dialect, storage } = scope
      await createOldTables(scope, null)
      const orm = createOrm(dialect, { entities: newEntities })
      await expect(withoutForeignKeys(storage, () => orm.schema.update())).rejects.toMatchObject({
        name: 'NotNullConstraintViolationException',
      })
      expect(await read(scope)).toEqual({
        ...rebuilt,
        authors: [{ id: 1, name: 'Ada', note: null }],
        noteRequired: 0,
      })
    }),
  )

  it('should stop half done when it fails without withoutForeignKeys()', () =>
    inDurableObject(async (scope) => {
      const { dialect } = scope
      await createOldTables(scope, null)
      const orm = createOrm(dialect, { entities: newEntities })
      await expect(orm.schema.update()).rejects.toMatchObject({
        name: 'NotNullConstraintViolationException',
      })
      expect(await read(scope)).toMatchObject({
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

function migrate(dialect: Dialect, migrationsList: readonly (typeof Initial)[]): Orm['migrator'] {
  return createOrm(dialect, {
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
    inDurableObject(async ({ db, dialect, inside }) => {
      await inside(async ({ storage }) => {
        await storage.put('key', 'value')
        await storage.setAlarm(Date.now() + 3_600_000)
      })
      const migrator = migrate(dialect, [Initial])
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

  // Not remote: withoutForeignKeys() runs inside the object.
  it.skipIf(isRemote)(
    'should keep the rows that refer to a table that it rebuilds, in withoutForeignKeys()',
    () =>
      inDurableObject(async (scope) => {
        const { dialect, exec, storage } = scope
        await migrate(dialect, [Initial]).up()
        await exec(`insert into author values (1, 'Ada', 'A note')`)
        await exec('insert into book values (1, 1), (2, 1)')
        const migrator = migrate(dialect, [Initial, RequireNote])
        expect(await names(withoutForeignKeys(storage, () => migrator.up()))).toEqual([
          'RequireNote',
        ])
        const tables = ['author', 'book', 'mikro_orm_migrations']
        expect(await read(scope)).toEqual({ ...rebuilt, tables })
        expect(await names(withoutForeignKeys(storage, () => migrator.down()))).toEqual([
          'RequireNote',
        ])
        expect(await read(scope)).toEqual({ ...rebuilt, tables, noteRequired: 0 })
      }),
  )

  it('should be refused before a rebuild deletes them, elsewhere', () =>
    inDurableObject(async (scope) => {
      const { dialect, exec } = scope
      await migrate(dialect, [Initial]).up()
      await exec(`insert into author values (1, 'Ada', 'A note')`)
      await exec('insert into book values (1, 1), (2, 1)')
      const migrator = migrate(dialect, [Initial, RequireNote])
      await expect(migrator.up()).rejects.toMatchObject({ code: 'ERR_PRAGMA_IGNORED' })
      expect(await read(scope)).toMatchObject({ books: rebuilt.books, noteRequired: 0 })
      expect(await names(migrator.getPending())).toEqual(['RequireNote'])
    }))

  it('should undo the whole of a failing run', () =>
    inDurableObject(async ({ db, dialect }) => {
      await expect(migrate(dialect, [Initial, Failing]).up()).rejects.toMatchObject({
        name: 'TableNotFoundException',
        message: 'no such table: nowhere: SQLITE_ERROR',
      })
      expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
        'mikro_orm_migrations',
      ])
      expect(await names(migrate(dialect, [Initial]).getExecuted())).toEqual([])
    }))
})
