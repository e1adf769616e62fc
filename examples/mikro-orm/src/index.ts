export { Library } from './library.js'

export default {
  fetch(request, env) {
    return env.LIBRARY.getByName('main').fetch(request)
  },
} satisfies ExportedHandler<Cloudflare.Env>
