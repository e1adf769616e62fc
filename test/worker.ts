import { DurableObject } from 'cloudflare:workers'

/** The tests run inside it, by `inDurableObject()` of `harness.ts`. */
export class TestObject extends DurableObject {
  override alarm(): void {}

  override fetch(): Response {
    return new Response('hello')
  }

  greet(name: string): string {
    return `hello ${name}`
  }
}

/** Not SQLite-backed. */
export class KvObject extends DurableObject {}

export default {
  fetch: (): Response => new Response('ok'),
}
