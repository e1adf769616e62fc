import type { ViewCounter } from './patterns/alarm-batch.js'
import type { Settings } from './patterns/cache.js'
import type { Draft } from './patterns/clean-up.js'
import type { Counter } from './patterns/counter.js'
import type { Document, Workspace } from './patterns/parent-child.js'
import type { RateLimiter } from './patterns/rate-limiter.js'
import type { Notebook } from './patterns/schema-migration.js'
import type { Cursors } from './patterns/write-coalescing.js'

declare global {
  namespace Cloudflare {
    interface Env {
      COUNTER: DurableObjectNamespace<Counter>
      CURSORS: DurableObjectNamespace<Cursors>
      DOCUMENT: DurableObjectNamespace<Document>
      DRAFT: DurableObjectNamespace<Draft>
      NOTEBOOK: DurableObjectNamespace<Notebook>
      RATE_LIMITER: DurableObjectNamespace<RateLimiter>
      SETTINGS: DurableObjectNamespace<Settings>
      VIEW_COUNTER: DurableObjectNamespace<ViewCounter>
      WORKSPACE: DurableObjectNamespace<Workspace>
    }
  }
}
