import { DurableObject } from 'cloudflare:workers'

/** The tests run inside it, by `inDurableObject()` of `harness.ts`. */
export class TestObject extends DurableObject {
  override alarm(): void {}
}

/** Not SQLite-backed. */
export class KvObject extends DurableObject {}

export default {
  fetch: (): Response => new Response('ok'),
}
