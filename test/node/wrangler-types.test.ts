import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
let directory: string

beforeAll(() => {
  // Inside the repository, where the packages are found.
  directory = mkdtempSync(join(root, 'node_modules/.wrangler-types-'))
})

afterAll(() => rmSync(directory, { recursive: true }))

it('should accept ctx.storage as `wrangler types` describes it', { timeout: 120_000 }, () => {
  writeFileSync(
    join(directory, 'wrangler.json'),
    JSON.stringify({ name: 'types', main: 'worker.ts', compatibility_date: '2026-04-06' }),
  )
  writeFileSync(
    join(directory, 'worker.ts'),
    `import { DurableObject } from 'cloudflare:workers'
    import { Kysely } from 'kysely'
    import { DurableObjectSqliteDialect, withDoTransaction } from 'kysely-durable-sqlite'
    import { migrateToLatest, rebuildTable, restoreBefore } from 'kysely-durable-sqlite/migration'
    import { RemoteDatabase, RemoteDurableObjectDialect } from 'kysely-durable-sqlite/remote'

    export class Example extends DurableObject {
      readonly db = new Kysely<{ a: { b: number } }>({
        dialect: new DurableObjectSqliteDialect(this.ctx.storage),
      })
      database(): RemoteDatabase {
        return new RemoteDatabase(this.db, this.ctx.storage)
      }
      count(): number {
        return withDoTransaction(this.ctx.storage, (sql) =>
          sql.exec<{ n: number }>('select count(*) as n from a').one().n)
      }
      async migrate(): Promise<void> {
        await migrateToLatest(this.ctx.storage, { '0001': 'create table a (b)' })
        await restoreBefore(this.ctx, '0001')
        rebuildTable(this.ctx.storage.sql, 'a', { create: 'create table a (b)' })
      }
    }

    export function remote(namespace: DurableObjectNamespace<Example>) {
      return new RemoteDurableObjectDialect(() => namespace.getByName('a').database())
    }

    export default {}`,
  )
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2024',
        lib: ['es2024'],
        module: 'esnext',
        moduleResolution: 'bundler',
        strict: true,
        noEmit: true,
        // As in Cloudflare's own templates.
        skipLibCheck: true,
        types: ['./worker-configuration.d.ts'],
      },
      include: ['worker.ts'],
    }),
  )
  const run = (command: string, ...options: string[]): string => {
    const { stdout } = spawnSync(join(root, 'node_modules/.bin', command), options, {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
    })
    return stdout
  }
  expect(run('wrangler', 'types')).toContain('Types written to worker-configuration.d.ts')
  expect(run('tsc', '-p', '.')).toBe('')
})
