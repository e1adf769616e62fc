declare namespace Cloudflare {
  interface Env {
    readonly USERS: DurableObjectNamespace<import('./users.js').Users>
    readonly BETTER_AUTH_SECRET: string
  }
}
