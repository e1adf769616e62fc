import { MikroORM, type Options, type SqlEntityManager, SqliteDriver } from '@mikro-orm/sql'
import type { Dialect } from 'kysely'
import { inDurableObject, type Options as ObjectOptions, type Scope } from '../harness.js'
import compiledFunctions from './compiled-functions.js'
import { entities } from './entities.js'

export type Orm = MikroORM<SqliteDriver>

/** What the body of a test has at hand, inside the Durable Object. */
export interface OrmScope extends Scope<unknown> {
  readonly orm: Orm
  readonly em: SqlEntityManager<SqliteDriver>
}

export function createOrm(dialect: Dialect, options: Partial<Options<SqliteDriver>> = {}): Orm {
  return new MikroORM<SqliteDriver>({
    driver: SqliteDriver,
    driverOptions: dialect,
    dbName: 'durable-object',
    entities,
    compiledFunctions,
    // SQLite's expressions are at most 100 deep here, and an update of versioned entities in one batch
    // has one `or` for each.
    batchSize: 90,
    schemaGenerator: { skipTables: [/^_cf_/i, /^__miniflare_/] },
    ...options,
  })
}

/** Runs the body inside a Durable Object of its own, with MikroORM and its tables in it. */
export function withOrm<T>(
  body: (scope: OrmScope) => Promise<T>,
  options: ObjectOptions = {},
): Promise<T> {
  return inDurableObject(async (scope) => {
    const orm = createOrm(scope.dialect)
    await orm.schema.update()
    return body({ ...scope, orm, em: orm.em.fork() })
  }, options)
}
