import { LockMode, OptimisticLockError, UniqueConstraintViolationException } from '@mikro-orm/core'
import { MikroORM, type SqlEntityManager, type SqliteDriver } from '@mikro-orm/sql'
import { DurableObject } from 'cloudflare:workers'
import { DurableObjectSqliteDialect, withoutForeignKeys } from 'kysely-durable-sqlite'
import compiledFunctions from './compiled-functions.js'
import { Author, Book, Tag } from './entities.js'
import config from './mikro-orm.config.js'

interface NewAuthor {
  readonly name: string
  readonly email: string
  readonly books?: readonly { readonly title: string; readonly tags?: readonly string[] }[]
}

interface BookChange {
  readonly title: string
  /** The version that the client has seen. */
  readonly version: number
}

/** A library: one Durable Object, whose database holds its books. */
export class Library extends DurableObject {
  readonly #orm = new MikroORM<SqliteDriver>({
    ...config,
    driverOptions: new DurableObjectSqliteDialect(this.ctx.storage),
    compiledFunctions,
  })

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(() => this.#updateSchema())
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#route(request, this.#orm.em.fork())
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException) {
        return Response.json({ error: 'That address is taken.' }, { status: 409 })
      }
      if (error instanceof OptimisticLockError) {
        return Response.json({ error: 'The book was changed meanwhile.' }, { status: 409 })
      }
      throw error
    }
  }

  /** To change a table MikroORM may have to rebuild it, which would delete the rows that refer to it. */
  async #updateSchema(): Promise<void> {
    const { schema } = this.#orm
    const changes = await schema.getUpdateSchemaSQL({ safe: true })
    if (changes !== '') {
      await withoutForeignKeys(this.ctx.storage, () => schema.execute(changes))
    }
  }

  async #route(request: Request, em: SqlEntityManager<SqliteDriver>): Promise<Response> {
    const [, resource, id] = new URL(request.url).pathname.split('/')
    switch (`${request.method} ${resource}`) {
      case 'GET authors':
        return Response.json(
          await em.findAll(Author, { populate: ['books.tags'], orderBy: { id: 'asc' } }),
        )
      case 'POST authors':
        return Response.json({ ids: await addAuthors(em, await request.json()) }, { status: 201 })
      case 'DELETE authors':
        return Response.json({ deleted: await em.nativeDelete(Author, Number(id)) })
      case 'PATCH books':
        return Response.json({ version: await changeBook(em, Number(id), await request.json()) })
      default:
        return new Response('Not found', { status: 404 })
    }
  }
}

/** All authors with their books and tags, or nothing. */
function addAuthors(
  em: SqlEntityManager<SqliteDriver>,
  authors: readonly NewAuthor[],
): Promise<readonly number[]> {
  return em.transactional(async (trx) => {
    const names = new Set(
      authors.flatMap(({ books = [] }) => books.flatMap(({ tags = [] }) => tags)),
    )
    const tags = await trx.upsertMany(
      Tag,
      [...names].map((name) => ({ name })),
    )
    const created = authors.map(({ name, email, books = [] }) =>
      trx.create(Author, {
        name,
        email,
        books: books.map(({ title, tags: its = [] }) => ({
          title,
          tags: tags.filter((tag) => its.includes(tag.name)),
        })),
      }),
    )
    await trx.flush()
    return created.map(({ id }) => id)
  })
}

function changeBook(
  em: SqlEntityManager<SqliteDriver>,
  id: number,
  { title, version }: BookChange,
): Promise<number> {
  return em.transactional(async (trx) => {
    const book = await trx.findOneOrFail(Book, id, {
      lockMode: LockMode.OPTIMISTIC,
      lockVersion: version,
    })
    book.title = title
    await trx.flush()
    return book.version
  })
}
