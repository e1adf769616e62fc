import { describe, expect, it } from 'vitest'
import { migrateToLatest } from '../../src/migration/index.js'
import { splitStatements } from '../../src/migration/sql-script.js'
import { inDurableObject } from '../harness.js'
import { tableNames } from './helpers.js'

describe('the SQL text of a migration', () => {
  it.each([
    ['statements', 'select 1; select 2', ['select 1', 'select 2']],
    ['empty statements', ' ;; select 1;\n;', ['select 1']],
    ['a byte order mark', '\uFEFFselect 1', ['select 1']],
    [
      'strings',
      `select ';''; --'; select "a;""b", \`c;\`, [d;]`,
      [`select ';''; --'`, 'select "a;""b", `c;`, [d;]'],
    ],
    [
      'comments between statements',
      '-- a; b\n/* c; d */ select 1; -- e; f\n/* g; */',
      ['select 1'],
    ],
    [
      'comments within a statement',
      'select -- a;\n 1 /* b; */ + 1; select 2',
      ['select -- a;\n 1 /* b; */ + 1', 'select 2'],
    ],
    ['an open comment', 'select 1; /* select 2;', ['select 1']],
    ['an open string', `select 1; select 'a; select 2`, ['select 1', `select 'a; select 2`]],
    ['nothing but comments', '-- a\n/* b */', []],
    [
      'a trigger',
      'create trigger a after insert on b begin select 1; select 2; end; select 3',
      ['create trigger a after insert on b begin select 1; select 2; end', 'select 3'],
    ],
    [
      'a trigger with a case',
      'CREATE /* ; */ TEMP TRIGGER a BEFORE DELETE ON b BEGIN SELECT CASE WHEN 1 THEN 2 END; END; select 3',
      [
        'CREATE /* ; */ TEMP TRIGGER a BEFORE DELETE ON b BEGIN SELECT CASE WHEN 1 THEN 2 END; END',
        'select 3',
      ],
    ],
    [
      'a trigger with comments at its end',
      'create trigger a after insert on b begin select 1; -- c;\n /* d; */ end /* e */; select 2',
      ['create trigger a after insert on b begin select 1; -- c;\n /* d; */ end', 'select 2'],
    ],
    [
      'words that look like those of a trigger',
      'create table "trigger" (begin_at, end_at); select 1',
      ['create table "trigger" (begin_at, end_at)', 'select 1'],
    ],
    [
      'an explained trigger',
      'explain query plan create trigger a after insert on b begin select 1; end; select 2',
      ['explain query plan create trigger a after insert on b begin select 1; end', 'select 2'],
    ],
    [
      'breakpoints',
      'select 1;--> statement-breakpoint\nselect 2\n--> breakpoint\r\nselect 3',
      ['select 1', 'select 2', 'select 3'],
    ],
    [
      'breakpoints in a string',
      `select '\n--> statement-breakpoint\n'; select 2`,
      [`select '\n--> statement-breakpoint\n'`, 'select 2'],
    ],
  ])('should be split with %s', (_, text, statements) => {
    expect(splitStatements(text)).toEqual(statements)
  })

  it('should be split in time that grows with its length', () => {
    const literal = `'${'x;'.repeat(500_000)}'`
    expect(splitStatements(`select ${literal}; select 2`)).toEqual([
      `select ${literal}`,
      'select 2',
    ])
  })

  it('should run as split, also where exec() of the whole text fails or breaks the object', () =>
    inDurableObject(async ({ storage, sql }) => {
      const text = `
        create table a (x);; -- a comment; with a semicolon
        create table log (x);
        create trigger a_log after insert on a begin
          insert into log values (new.x);
          insert into log values (case when new.x > 1 then 'big;' else 'small;' end);
        end;
        insert into a values (1), (2) returning x;
        select x from a;
        -- the end`
      expect(() => storage.transactionSync(() => sql.exec(text))).toThrow(
        'SQL code did not contain a statement.',
      )
      await migrateToLatest(storage, { '0001': text })
      expect([...sql.exec('select x from log').raw()].flat()).toEqual([1, 'small;', 2, 'big;'])
    }))

  it('should be accepted as drizzle-kit writes it', () =>
    inDurableObject(async ({ storage }) => {
      await migrateToLatest(storage, {
        '0000_init': `CREATE TABLE \`users\` (\n\t\`id\` integer PRIMARY KEY NOT NULL\n);
--> statement-breakpoint
CREATE TABLE \`posts\` (\`author\` integer REFERENCES users(id));--> statement-breakpoint
CREATE INDEX \`author\` ON \`posts\` (\`author\`);`,
      })
      expect(tableNames(storage)).toEqual(['kysely_migration', 'posts', 'users'])
    }))

  it('should keep the children where drizzle-kit rebuilds their parent', () =>
    inDurableObject(async ({ storage, sql }) => {
      const first = `
        create table users (id integer primary key, name text);
        create table posts (id integer primary key, author integer references users on delete cascade);
        insert into users values (1, 'Ada');
        insert into posts values (1, 1), (2, 1);`
      await migrateToLatest(storage, {
        '0000': first,
        '0001': `PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE \`__new_users\` (\`id\` integer PRIMARY KEY, \`name\` text NOT NULL);
--> statement-breakpoint
INSERT INTO \`__new_users\`("id", "name") SELECT "id", "name" FROM \`users\`;--> statement-breakpoint
DROP TABLE \`users\`;--> statement-breakpoint
ALTER TABLE \`__new_users\` RENAME TO \`users\`;--> statement-breakpoint
PRAGMA foreign_keys=ON;`,
      })
      expect(sql.exec('select * from posts').toArray()).toEqual([
        { id: 1, author: 1 },
        { id: 2, author: 1 },
      ])
      expect(sql.exec('pragma foreign_keys').one()).toEqual({ foreign_keys: 1 })
    }))
})
