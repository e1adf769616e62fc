import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tarball } from './tarball.ts'
import { type DevServer, startWranglerDev } from './wrangler-dev.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(`${tmpdir()}/packed-package-`)

/** The Durable Object of a newcomer. */
const people = `import { DurableObject } from 'cloudflare:workers'
import { type Generated, Kysely } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'

interface Database {
  person: { id: Generated<number>; name: string }
}

export class People extends DurableObject {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  async add(name: string): Promise<number> {
    const { id } = await this.#db
      .insertInto('person')
      .values({ name })
      .returning('id')
      .executeTakeFirstOrThrow()
    return id
  }
}
`

/** What a newcomer adds: the table, a transaction that fails and the Worker. */
const worker = `import { Kysely, sql } from 'kysely'
import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
import { People as Base } from './people'

interface Database {
  person: { id: number; name: string }
}

export class People extends Base {
  readonly #db = new Kysely<Database>({
    dialect: new DurableObjectSqliteDialect(this.ctx.storage),
  })

  override async fetch(): Promise<Response> {
    await sql\`create table person (id integer primary key, name text not null unique)\`.execute(this.#db)
    const id = await this.add('Ada')
    const error: unknown = await this.#db
      .transaction()
      .execute(async (trx) => {
        await trx.insertInto('person').values({ id: 2, name: 'Grace' }).execute()
        await trx.insertInto('person').values({ id: 3, name: 'Ada' }).execute()
      })
      .catch((error: { code: string }) => error.code)
    const people = await this.#db.selectFrom('person').selectAll().execute()
    return Response.json({ id, error, people })
  }
}

export default {
  fetch(request: Request, env: { PEOPLE: DurableObjectNamespace<People> }): Promise<Response> {
    return env.PEOPLE.getByName('all').fetch(request)
  },
}
`

beforeAll(async () => {
  // As npm would install it, without asking a registry for the peer.
  mkdirSync(`${project}/node_modules/@cloudflare`, { recursive: true })
  const own = `${project}/node_modules/kysely-durable-sqlite`
  mkdirSync(own)
  await run('tar', ['xzf', tarball, '-C', own, '--strip-components=1'])
  for (const name of ['kysely', '@cloudflare/workers-types']) {
    symlinkSync(`${root}node_modules/${name}`, `${project}/node_modules/${name}`)
  }
  mkdirSync(`${project}/src`)
  writeFileSync(`${project}/src/people.ts`, people)
  writeFileSync(`${project}/src/index.ts`, worker)
  writeFileSync(`${project}/package.json`, '{ "type": "module" }\n')
  writeFileSync(
    `${project}/wrangler.jsonc`,
    `{
      "name": "people",
      "main": "src/index.ts",
      "compatibility_date": "2026-04-06",
      "durable_objects": { "bindings": [{ "name": "PEOPLE", "class_name": "People" }] },
      "migrations": [{ "tag": "v1", "new_sqlite_classes": ["People"] }],
    }`,
  )
  writeFileSync(
    `${project}/tsconfig.json`,
    `{
      "compilerOptions": {
        "target": "es2022",
        "lib": ["es2022"],
        "module": "esnext",
        "moduleResolution": "bundler",
        "types": ["@cloudflare/workers-types"],
        "strict": true,
        "noEmit": true
      },
      "include": ["src"]
    }`,
  )
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

describe('the peer range', () => {
  it('should begin at the version that the suite runs with beside the newest', () => {
    const { devDependencies, peerDependencies } = JSON.parse(
      readFileSync(`${root}package.json`, 'utf8'),
    )
    const floor = devDependencies['kysely-0.28'].replace('npm:kysely@', '')
    expect(peerDependencies.kysely).toBe(`>=${floor} <0.30.0`)
  })
})

describe('the packed package, in an empty project', () => {
  it('should compile, its own declarations included', async () => {
    const { stdout } = await run(`${root}node_modules/.bin/tsc`, ['-p', project]).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout).toBe('')
  })

  it('should give a Durable Object with a transaction in it', async () => {
    const server: DevServer = await startWranglerDev(project)
    try {
      const response = await fetch(server.url)
      expect(await response.json()).toEqual({
        id: 1,
        error: 'SQLITE_CONSTRAINT_UNIQUE',
        people: [{ id: 1, name: 'Ada' }],
      })
    } finally {
      await server.stop()
    }
  })
})
