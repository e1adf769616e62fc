import { DurableObject } from 'cloudflare:workers'
import { blocks } from '../../.documents/blocks.js'
import { createContext, equal, type ModuleContext, rejects } from './context.js'

// The Durable Objects that blocks export, as Block0, Block1, …
export * from '../../.documents/blocks.js'

interface Env {
  readonly SNIPPET: DurableObjectNamespace<Snippet>
  readonly EMPTY: DurableObjectNamespace
  readonly [className: `Block${number}`]: DurableObjectNamespace<QueryableObject>
}

interface QueryableObject extends Rpc.DurableObjectBranded {
  $rows(query: string): Record<string, SqlStorageValue>[]
}

export class Empty extends DurableObject {}

/** Where the blocks run that export nothing. */
export class Snippet extends DurableObject<Env> {
  async run(index: number): Promise<void> {
    await blocks[index].$run(await createContext(this.ctx, anyBinding(this.env.EMPTY)))
  }
}

async function run(index: number, env: Env, ctx: ExecutionContext): Promise<void> {
  if (!(`Block${index}` in env)) {
    await env.SNIPPET.get(env.SNIPPET.newUniqueId()).run(index)
    return
  }
  const namespace = env[`Block${index}`]
  const stub = namespace.getByName(crypto.randomUUID())
  await stub.$rows('select 1')
  const block = blocks[index]
  const context: ModuleContext = {
    stub,
    another: namespace.getByName(crypto.randomUUID()),
    equal,
    rejects,
    fetch: (path, init) =>
      block.default.fetch(new Request(`http://localhost${path}`, init), anyBinding(namespace), ctx),
  }
  await block.$run(context)
}

function anyBinding(namespace: DurableObjectNamespace): Record<string, DurableObjectNamespace> {
  return new Proxy({}, { get: () => namespace })
}

/** Runs the block whose number is the path, and answers with what went wrong. */
export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    try {
      await run(Number(new URL(request.url).pathname.slice(1)), env, ctx)
      return new Response('')
    } catch (error) {
      return new Response((error as Error).stack)
    }
  },
}
