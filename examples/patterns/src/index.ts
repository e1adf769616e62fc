import { demos } from './demos.js'
import { page } from './page.js'

export { ViewCounter } from './patterns/alarm-batch.js'
export { Settings } from './patterns/cache.js'
export { Draft } from './patterns/clean-up.js'
export { Counter } from './patterns/counter.js'
export { Document, Workspace } from './patterns/parent-child.js'
export { RateLimiter } from './patterns/rate-limiter.js'
export { Notebook } from './patterns/schema-migration.js'
export { Cursors } from './patterns/write-coalescing.js'

/** `GET /` is the page; `POST /run/<name>` runs a pattern and answers with its steps. */
export default {
  async fetch(request: Request, env: Cloudflare.Env): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (request.method === 'GET' && pathname === '/') {
      return new Response(page(demos), { headers: { 'content-type': 'text/html; charset=utf-8' } })
    }
    const demo = demos.find(({ name }) => pathname === `/run/${name}`)
    if (demo === undefined) {
      return new Response('There is no such pattern.\n', { status: 404 })
    }
    if (request.method !== 'POST') {
      return new Response('Use POST.\n', { status: 405, headers: { allow: 'POST' } })
    }
    return Response.json(await demo.run(env))
  },
}
