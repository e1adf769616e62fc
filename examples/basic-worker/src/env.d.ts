declare namespace Cloudflare {
  interface Env {
    readonly BANK: DurableObjectNamespace<import('./bank.js').Bank>
    /** The name of the last migration to apply, instead of all: the demo's first version. */
    readonly MIGRATE_TO?: string
  }
}

declare module '*.sql' {
  const text: string
  export default text
}
