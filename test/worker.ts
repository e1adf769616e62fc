import { DurableObject } from 'cloudflare:workers'
import type { RemoteDatabase } from '../src/remote/index.js'
import { makeDatabase } from './remote-databases.js'

/** The tests run inside it, by `inDurableObject()` of `harness.ts`. */
export class TestObject extends DurableObject {
  override alarm(): void {}

  override fetch(): Response {
    return new Response('hello')
  }

  greet(name: string): string {
    return `hello ${name}`
  }

  /** What a test has offered by `offerDatabase()`. */
  database(key: string): RemoteDatabase {
    return makeDatabase(key, this.ctx)
  }
}

/** Not SQLite-backed. */
export class KvObject extends DurableObject {}

export default {
  fetch: (): Response => new Response('ok'),
}
