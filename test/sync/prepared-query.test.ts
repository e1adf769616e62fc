import {
  CamelCasePlugin,
  type Generated,
  HandleEmptyInListsPlugin,
  type KyselyPlugin,
  NoResultError,
  replaceWithNoncontingentExpression,
  sql,
} from 'kysely'
import * as kysely from 'kysely'
import { describe, expect, it } from 'vitest'
import { type QueryParameters, SyncExecutor } from '../../src/index.js'
import { inDurableObject, type Scope } from '../harness.js'

interface Database {
  person: {
    id: Generated<number | bigint>
    name: string | null
    age: number | bigint | null
    photo: Uint8Array | null
  }
}

interface PreparedScope extends Scope<Database> {
  readonly sync: SyncExecutor
}

function withPeople(
  body: (scope: PreparedScope) => void | Promise<void>,
  plugins: KyselyPlugin[] = [],
): Promise<void> {
  return inDurableObject<Database>(
    (scope) => {
      scope.sql.exec(`
        create table person (id integer primary key, name text, age, photo blob);
        insert into person values (1, 'Ada', 36, x'01'), (2, 'Grace', 85, x'02'), (3, null, null, null);
      `)
      return body({ ...scope, sync: new SyncExecutor(scope.db, scope.storage) })
    },
    { kysely: { plugins } },
  )
}

const { BinaryOperationNode, OperatorNode, ValueNode } = kysely

const oneEqualsTwo = BinaryOperationNode.create(
  ValueNode.createImmediate(1),
  OperatorNode.create('='),
  ValueNode.createImmediate(2),
)

describe('a prepared query', () => {
  it('should bind new values at each call', () =>
    withPeople(({ db, sync }) => {
      const byId = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.selectFrom('person').select('name').where('id', '=', param('id')),
      )
      expect(byId.execute({ id: 1 })).toEqual([{ name: 'Ada' }])
      expect(byId.executeTakeFirst({ id: 2 })).toEqual({ name: 'Grace' })
      expect(byId.executeTakeFirst({ id: 9 })).toBeUndefined()
      expect(byId.executeTakeFirstOrThrow({ id: 3 })).toEqual({ name: null })
      expect(() => byId.executeTakeFirstOrThrow({ id: 9 })).toThrow(NoResultError)
      expect(() => byId.executeTakeFirstOrThrow({ id: 9 }, () => new Error('none'))).toThrow('none')
    }))

  it('should be built once, and once more for each set of bigints', () =>
    withPeople(({ db, sync }) => {
      let builds = 0
      const byAge = sync.prepare((param: QueryParameters<{ age: number | bigint }>) => {
        builds++
        return db.selectFrom('person').select('id').where('age', '=', param('age'))
      })
      const atFirst = builds
      for (const age of [36, 85, 1]) {
        byAge.execute({ age })
      }
      expect(builds).toBe(atFirst)
      for (const age of [36n, 85n, 1n]) {
        byAge.execute({ age })
      }
      expect(builds).toBe(atFirst + 1)
    }))

  it('should take parameters in values, set, where, limit, offset, expressions and raw SQL', () =>
    withPeople(({ db, sync }) => {
      const insert = sync.prepare((param: QueryParameters<{ name: string; age: number }>) =>
        db
          .insertInto('person')
          .values({ name: param('name'), age: sql<number>`${param('age')} + ${param('age')}` })
          .returning(['name', 'age']),
      )
      expect(insert.execute({ name: 'Eve', age: 5 })).toEqual([{ name: 'Eve', age: 10 }])

      const update = sync.prepare((param: QueryParameters<{ id: number; by: number }>) =>
        db
          .updateTable('person')
          .set((eb) => ({ age: eb('age', '+', param('by')) }))
          .where('id', '=', param('id'))
          .returning('age'),
      )
      expect(update.execute({ id: 1, by: 4 })).toEqual([{ age: 40 }])

      const page = sync.prepare((param: QueryParameters<{ limit: number; offset: number }>) =>
        db
          .selectFrom('person')
          .select(['id', param('limit').as('limit')])
          .orderBy('id')
          .limit(param('limit'))
          .offset(param('offset')),
      )
      expect(page.execute({ limit: 2, offset: 1 })).toEqual([
        { id: 2, limit: 2 },
        { id: 3, limit: 2 },
      ])
    }))

  it('should run for its effect alone', () =>
    withPeople(({ db, sync }) => {
      const remove = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.deleteFrom('person').where('id', '=', param('id')).returningAll(),
      )
      expect(remove.run({ id: 1 })).toBeUndefined()
      expect(sync.execute(db.selectFrom('person').select('id'))).toEqual([{ id: 2 }, { id: 3 }])
    }))

  it('should keep an int64 exact, as INTEGER', () =>
    withPeople(({ db, sync }) => {
      const insert = sync.prepare((param: QueryParameters<{ id: bigint; age: number | bigint }>) =>
        db
          .insertInto('person')
          .values({ id: param('id'), age: param('age') })
          .returning((eb) => [
            eb.cast<string>('id', 'text').as('id'),
            sql`typeof(age)`.as('type'),
            sql`cast(age as text)`.as('age'),
          ]),
      )
      const id = 2n ** 62n + 1n
      expect(insert.execute({ id, age: 2n ** 63n - 1n })).toEqual([
        { id: String(id), type: 'integer', age: '9223372036854775807' },
      ])
      expect(insert.execute({ id: id + 1n, age: 1 })).toEqual([
        { id: String(id + 1n), type: 'real', age: '1.0' },
      ])
      expect(() => insert.execute({ id: 2n ** 63n, age: 1 })).toThrow(
        expect.objectContaining({ code: 'ERR_UNSUPPORTED_PARAMETER' }),
      )
    }))
})

describe('a list of a prepared query', () => {
  const prepare = ({ db, sync }: PreparedScope) => ({
    inList: sync.prepare((param: QueryParameters<{ names: readonly (string | null)[] }>) =>
      db.selectFrom('person').select('id').where('name', 'in', param('names')),
    ),
    notInList: sync.prepare((param: QueryParameters<{ ids: readonly (number | bigint)[] }>) =>
      db.selectFrom('person').select('id').where('id', 'not in', param('ids')),
    ),
    withPhotos: sync.prepare((param: QueryParameters<{ photos: Uint8Array[] }>) =>
      db.selectFrom('person').select('id').where('photo', 'in', param('photos')),
    ),
  })

  it('should be of any length', () =>
    withPeople((scope) => {
      const { inList, notInList } = prepare(scope)
      expect(inList.execute({ names: ['Ada', 'Grace', 'Eve'] })).toEqual([{ id: 1 }, { id: 2 }])
      expect(inList.execute({ names: ['Ada'] })).toEqual([{ id: 1 }])
      expect(inList.execute({ names: [] })).toEqual([])
      expect(inList.execute({ names: ['Ada', null] })).toEqual([{ id: 1 }])
      expect(notInList.execute({ ids: [1, 2n] })).toEqual([{ id: 3 }])
      expect(notInList.execute({ ids: [] })).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
      const ids = Array.from({ length: 1000 }, (_, index) => index + 2)
      expect(notInList.execute({ ids })).toEqual([{ id: 1 }])
    }))

  it('should have the same SQL for every length', () =>
    withPeople(({ db, sync }) => {
      let builds = 0
      const query = sync.prepare((param: QueryParameters<{ ids: number[] }>) => {
        builds++
        return db.selectFrom('person').select('id').where('id', 'in', param('ids'))
      })
      const atFirst = builds
      query.execute({ ids: [1] })
      query.execute({ ids: [1, 2, 3] })
      expect(builds).toBe(atFirst)
    }))

  it('should compare as the same values bound one by one', () =>
    withPeople(({ sql: storage, db, sync }) => {
      storage.exec(`
        delete from person;
        insert into person (id, name) values (1, '5.0'), (2, '5'), (3, 'a"b\\'), (4, '😀'), (5, '1.0');
        insert into person (id, age) values (6, 5), (7, 9007199254740993), (8, '5.0'), (9, 1e300);
      `)
      const asyncSql = (column: 'name' | 'age', list: unknown[]) =>
        sync.execute(db.selectFrom('person').select('id').where(sql.ref(column), 'in', list))
      for (const column of ['name', 'age'] as const) {
        const query = sync.prepare((param: QueryParameters<{ list: unknown[] }>) =>
          db.selectFrom('person').select('id').where(sql.ref(column), 'in', param('list')),
        )
        for (const list of [
          [5],
          [5n],
          ['5'],
          ['5.0', 'a"b\\'],
          ['😀'],
          [true],
          [9007199254740993n],
          [1e300, -0, Infinity],
          ['a\0b', '5'],
        ]) {
          expect([column, list, query.execute({ list })]).toEqual([
            column,
            list,
            asyncSql(column, list),
          ])
        }
      }
    }))

  it('should take BLOBs', () =>
    withPeople((scope) => {
      const { withPhotos } = prepare(scope)
      expect(withPhotos.execute({ photos: [new Uint8Array([2]), new Uint8Array([9])] })).toEqual([
        { id: 2 },
      ])
    }))

  it('should be an array, and stand for nothing else', () =>
    withPeople(({ db, sync }) => {
      const refused = (message: string) =>
        expect.objectContaining({
          code: 'ERR_UNSUPPORTED_PARAMETER',
          message: expect.stringContaining(message),
        })
      const one = sync.prepare((param: QueryParameters<{ id: number }>) =>
        db.selectFrom('person').select('id').where('id', 'in', param('id')),
      )
      expect(() => one.execute({ id: 1 })).toThrow(refused('Pass an array'))
      const list = sync.prepare((param: QueryParameters<{ ids: number[] }>) =>
        db.selectFrom('person').select('id').where('id', '=', param('ids')),
      )
      expect(() => list.execute({ ids: [1] })).toThrow(
        refused('Parameter 1, for the column id, is an array'),
      )
      expect(() =>
        sync.prepare((param: QueryParameters<{ ids: number[] }>) =>
          db
            .selectFrom('person')
            .select('id')
            .where('id', 'in', param('ids'))
            .where('age', '=', param('ids')),
        ),
      ).toThrow(refused('The parameter `ids` stands for a list'))
    }))
})

describe('the values of a prepared query', () => {
  it('should all be there, and have names that the query knows', () =>
    withPeople(({ db, sync }) => {
      const query = sync.prepare((param: QueryParameters<{ id: number; name: string | null }>) =>
        db
          .updateTable('person')
          .set({ name: param('name') })
          .where('id', '=', param('id')),
      )
      const refused = (message: string) =>
        expect.objectContaining({ code: 'ERR_PARAMETER_NAME', message })
      const missing =
        'The parameter `name` of the prepared query has no value. Pass { name: … }, with null for NULL.'
      // @ts-expect-error
      expect(() => query.run({ id: 1 })).toThrow(refused(missing))
      // @ts-expect-error
      expect(() => query.run()).toThrow(refused(missing))
      // @ts-expect-error
      expect(() => query.run({ id: 1, name: undefined })).toThrow(refused(missing))
      // @ts-expect-error
      expect(() => query.run({ id: 1, name: 'Eve', age: 5 })).toThrow(
        refused('The prepared query has no parameter `age`. It has: name, id.'),
      )
      // @ts-expect-error
      expect(() => sync.prepare(() => db.deleteFrom('person')).run({ id: 1 })).toThrow(
        refused('The prepared query has no parameter `id`. Pass no values.'),
      )
      query.run({ id: 1, name: null })
      expect(sync.execute(db.selectFrom('person').select('name').where('id', '=', 1))).toEqual([
        { name: null },
      ])
    }))
})

describe('a prepared query under a plugin', () => {
  it('should be compiled once where the SQL does not depend on the values', () =>
    withPeople(
      ({ db, sync }) => {
        let builds = 0
        const query = sync.prepare((param: QueryParameters<{ id: number; ids: number[] }>) => {
          builds++
          return db
            .selectFrom('person')
            .select('name as fullName')
            .where('id', '=', param('id'))
            .where('id', 'in', param('ids'))
        })
        const atFirst = builds
        expect(query.execute({ id: 1, ids: [1] })).toEqual([{ fullName: 'Ada' }])
        expect(query.execute({ id: 2, ids: [1, 2] })).toEqual([{ fullName: 'Grace' }])
        expect(builds).toBe(atFirst)
      },
      [
        new CamelCasePlugin(),
        new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression }),
      ],
    ))

  it('should leave an empty list to the plugin', () =>
    withPeople(
      ({ db, sync }) => {
        const query = sync.prepare((param: QueryParameters<{ ids: number[] }>) =>
          db.selectFrom('person').select('id').where('id', 'not in', param('ids')),
        )
        expect(query.execute({ ids: [] })).toEqual([])
        expect(query.execute({ ids: [1] })).toEqual([{ id: 2 }, { id: 3 }])
      },
      [new HandleEmptyInListsPlugin({ strategy: () => oneEqualsTwo })],
    ))

  it('should be compiled for each call where the SQL may depend on the values', () => {
    let tenant = 1
    const ofTenant: KyselyPlugin = {
      transformQuery: ({ node }) =>
        node.kind === 'SelectQueryNode'
          ? kysely.QueryNode.cloneWithWhere(node, sql`id = ${sql.lit(tenant)}`.toOperationNode())
          : node,
      transformResult: async ({ result }) => result,
    }
    return withPeople(({ db, storage }) => {
      const plugged = db.withPlugin(
        Object.assign(ofTenant, {
          transformResultSync: ({ result }: kysely.PluginTransformResultArgs) => result,
        }),
      )
      const query = new SyncExecutor(plugged, storage).prepare(
        (param: QueryParameters<{ least: number }>) =>
          plugged.selectFrom('person').select('id').where('id', '>=', param('least')),
      )
      expect(query.execute({ least: 0 })).toEqual([{ id: 1 }])
      tenant = 2
      expect(query.execute({ least: 0 })).toEqual([{ id: 2 }])
    })
  })
})
