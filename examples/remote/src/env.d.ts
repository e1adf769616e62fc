declare namespace Cloudflare {
  interface Env {
    readonly TENANT: DurableObjectNamespace<import('./tenant.js').Tenant>
    readonly BETTER_AUTH_SECRET: string
  }
}
