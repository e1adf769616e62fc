declare namespace Cloudflare {
  interface Env {
    readonly BANK: DurableObjectNamespace<import('./bank.js').Bank>
  }
}
