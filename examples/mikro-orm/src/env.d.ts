declare namespace Cloudflare {
  interface Env {
    readonly LIBRARY: DurableObjectNamespace<import('./library.js').Library>
  }
}
