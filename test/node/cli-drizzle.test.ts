import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { CliProject, root, wranglerConfig } from './cli-project.ts'

const SCHEMA = `
import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, real, sqliteTable, sqliteView, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable('users', {
  id: integer().primaryKey({ autoIncrement: true }),
  email: text({ length: 200 }).notNull().unique(),
  role: text({ enum: ['admin', 'user'] }).notNull().default('user'),
  isActive: integer({ mode: 'boolean' }).notNull().default(true),
  createdAt: integer({ mode: 'timestamp_ms' }).notNull().default(sql\`(unixepoch() * 1000)\`),
  prefs: text({ mode: 'json' }).default({ theme: 'dark' }),
  score: real().default(1.5),
  lowered: text().generatedAlwaysAs(sql\`lower(email)\`, { mode: 'virtual' }),
}, (t) => [
  index('users_role').on(t.role, sql\`lower(\${t.email}) desc\`),
  uniqueIndex('users_active').on(t.isActive, t.role).where(sql\`\${t.isActive} = 1\`),
  check('score', sql\`\${t.score} > 0 and \${t.role} in ('admin', 'user')\`),
])

export const posts = sqliteTable('posts', {
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  slug: text().notNull(),
}, (t) => [primaryKey({ columns: [t.slug, t.authorId] })])

export const roles = sqliteView('roles').as((qb) => qb.select({ role: users.role }).from(users))
`

const CONFIG = `
import { defineConfig } from 'drizzle-kit'
export default defineConfig({
  dialect: 'sqlite', driver: 'durable-sqlite', casing: 'snake_case', schema: './src/*.ts', out: './drizzle',
})
`

it(
  "should run drizzle-kit's own migrations, match its schema, and find a drift",
  { timeout: 180_000 },
  async () => {
    using project = new CliProject({
      'package.json': '{ "type": "module" }',
      'wrangler.jsonc': wranglerConfig('Room'),
      'src/schema.ts': SCHEMA,
      'drizzle.config.ts': CONFIG,
    })
    const kit = join(root, 'node_modules/.bin/drizzle-kit')
    await promisify(execFile)(kit, ['generate', '--name', 'first'], { cwd: project.directory })
    const check = (): ReturnType<CliProject['run']> =>
      project.run('check', '--migrations', 'drizzle', '--drizzle', 'drizzle.config.ts')
    expect(await check()).toEqual({ status: 0, stdout: '', stderr: 'No findings.\n' })

    project.write(
      'src/schema.ts',
      SCHEMA.replace("onDelete: 'cascade'", "onDelete: 'restrict'")
        .replace('score: real().default(1.5)', 'score: real().default(2.5), karma: integer()')
        .replace('on(t.isActive, t.role)', 'on(t.isActive, t.email)'),
    )
    const { status, stdout } = await check()
    const line = (text: string): number => SCHEMA.slice(0, SCHEMA.indexOf(text)).split('\n').length
    const users = `src/schema.ts:${line("'users'")} Table users:`
    const posts = `src/schema.ts:${line("'posts'")} Table posts:`
    const cure = 'Run drizzle-kit generate, or fix the schema.'
    expect(status).toBe(1)
    expect(stdout.trimEnd().split('\n')).toEqual([
      `${posts} the migrations make no foreign key (author_id) to users (id) on delete RESTRICT on update NO ACTION. ${cure}`,
      `${posts} the migrations make the foreign key (author_id) to users (id) on delete CASCADE on update NO ACTION, which the schema does not have. ${cure}`,
      `${users} DEFAULT of column score is 1.5 in the migrations and 2.5 in the schema. ${cure}`,
      `${users} the migrations make no column karma. ${cure}`,
      `${users} the migrations make no index unique on (is_active, email) where users . is_active = 1. ${cure}`,
      `${users} the migrations make the index unique on (is_active, role) where users . is_active = 1, which the schema does not have. ${cure}`,
    ])

    project.write('drizzle/0001_by_hand.sql', 'create table extra (id integer primary key)')
    expect((await check()).stdout).toContain(
      'drizzle/meta/_journal.json:1 Migration 0001_by_hand is not in the journal.',
    )
  },
)
