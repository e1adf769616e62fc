export { Bank } from './bank.js'

export default {
  fetch(request, env) {
    return env.BANK.getByName('main').fetch(request)
  },
} satisfies ExportedHandler<Cloudflare.Env>
