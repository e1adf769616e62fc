export { Users } from './users.js'

export default {
  fetch(request, env) {
    return env.USERS.getByName('main').fetch(request)
  },
} satisfies ExportedHandler<Cloudflare.Env>
