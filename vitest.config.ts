import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const { compatibilityDate: newest } = createRequire(import.meta.url)('workerd') as {
  compatibilityDate: string
}
/** The one entry that 0.28 has is all of it, the Migrator included. */
const kysely028 = fileURLToPath(import.meta.resolve('kysely-0.28'))
const dates = ['2024-09-23', '2025-04-01', '2025-08-01', '2026-04-06', newest]

/** The suite in workerd, as of a compatibility date. */
function workerd(name: string, compatibilityDate: string, alias: Record<string, string> = {}) {
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: './wrangler.test.jsonc' },
        miniflare: { compatibilityDate, compatibilityFlags: ['enable_nodejs_inspector_module'] },
      }),
    ],
    resolve: { alias },
    test: {
      name,
      include: ['test/**/*.test.ts'],
      // What has a project of its own, below.
      exclude: ['test/{agents,auth-js,better-auth,mikro-orm,multi-tenant,node,patterns}/**'],
      isolate: false,
      testTimeout: 40_000,
      provide: { remote: false },
    },
  }
}

/** The tests of the dialect once more, from a Worker, on the databases of objects. */
function remote(compatibilityDate: string) {
  const project = workerd(`remote ${compatibilityDate}`, compatibilityDate)
  return {
    ...project,
    test: {
      ...project.test,
      include: ['test/{compiler,dialect,platform,schema,statement,transaction}/*.test.ts'],
      // What an object does by itself: it counts its own statements, calls functions on its storage, has
      // Drizzle on that, and waits for the platform to admit a transaction.
      exclude: [
        'test/dialect/drizzle-beside.test.ts',
        'test/statement/follow-ups.test.ts',
        'test/transaction/{admission,with-do-transaction,without-foreign-keys}.test.ts',
      ],
      provide: { remote: true },
    },
  }
}

/** A library on top of the dialect, in workerd with code generation refused, as in production. */
function integration(
  name: string,
  {
    globalSetup = [],
    alias,
    isRemote = false,
  }: { globalSetup?: string[]; alias?: Record<string, string>; isRemote?: boolean } = {},
) {
  const project = workerd(isRemote ? `remote ${name}` : name, newest, alias)
  return {
    ...project,
    test: {
      ...project.test,
      provide: { remote: isRemote },
      include: [`test/${name}/*.test.ts`],
      exclude: [],
      setupFiles: ['test/integration-setup.ts'],
      globalSetup,
    },
  }
}

/** Cloudflare's Agents, which need `nodejs_compat`. */
function agents() {
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: './test/agents/wrangler.jsonc' },
        miniflare: { compatibilityDate: newest },
      }),
    ],
    test: {
      name: 'agents',
      include: ['test/agents/*.test.ts'],
      isolate: false,
      testTimeout: 40_000,
    },
  }
}

/** The Worker of an example, over the library's sources. */
function example(name: string, compatibilityDate: string) {
  return {
    plugins: [
      cloudflareTest({
        wrangler: { configPath: `./examples/${name}/wrangler.jsonc` },
        miniflare: { compatibilityDate, compatibilityFlags: ['enable_nodejs_inspector_module'] },
      }),
    ],
    resolve: {
      alias: [
        { find: /^kysely-durable-sqlite$/, replacement: source('index') },
        { find: /^kysely-durable-sqlite\/(\w+)$/, replacement: source('$1/index') },
      ],
    },
    test: {
      name: `${name} ${compatibilityDate}`,
      include: [`test/${name}/*.test.ts`],
      isolate: false,
      testTimeout: 40_000,
    },
  }
}

function source(module: string): string {
  return fileURLToPath(new URL(`src/${module}.ts`, import.meta.url))
}

export default defineConfig({
  test: {
    // Workerd does the work, and tests that wait should not hold up others on a machine with 2 cores.
    maxWorkers: 6,
    projects: [
      ...dates.map((date) => workerd(date, date)),
      workerd('kysely 0.28', '2026-04-06', {
        'kysely/helpers/sqlite': fileURLToPath(import.meta.resolve('kysely-0.28/helpers/sqlite')),
        'kysely/migration': kysely028,
        kysely: kysely028,
      }),
      ...['2024-09-23', '2026-04-06', newest].map((date) => remote(date)),
      ...[false, true].flatMap((isRemote) => [
        integration('mikro-orm', { globalSetup: ['test/mikro-orm/compile.ts'], isRemote }),
        integration('better-auth', { isRemote }),
      ]),
      // Its adapter takes Kysely 0.28 alone.
      integration('auth-js', { alias: { kysely: kysely028 } }),
      agents(),
      // deleteAll() and alarms differ between the two.
      example('patterns', '2024-09-23'),
      example('patterns', newest),
      example('multi-tenant', newest),
      {
        test: {
          name: 'node',
          include: ['test/node/*.test.ts'],
          globalSetup: ['test/node/pack.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
