import { HandWrittenHelpDesk } from './hand-written-help-desk.js'
import { HelpDesk } from './help-desk.js'
import type { HelpDeskApi } from './help-desk-api.js'

export { HandWrittenHelpDesk, HelpDesk }

interface Opening {
  readonly subject: string
  readonly author: string
  readonly body: string
}

/** `/before/…` is answered by the hand-written SQL, `/after/…` by Kysely. */
export default {
  async fetch(request, { HAND_WRITTEN, HELP_DESK }): Promise<Response> {
    const [, version, resource, id] = new URL(request.url).pathname.split('/')
    const helpDesk: HelpDeskApi =
      version === 'before' ? HAND_WRITTEN.getByName('main') : HELP_DESK.getByName('main')
    switch (`${request.method} ${resource}`) {
      case 'POST tickets': {
        const { subject, author, body } = await request.json<Opening>()
        return Response.json(await helpDesk.open(subject, author, body))
      }
      case 'DELETE tickets':
        return Response.json(await helpDesk.close(Number(id)))
      case 'GET tickets':
        return Response.json(await helpDesk.queue())
      default:
        return new Response('Not found', { status: 404 })
    }
  },
} satisfies ExportedHandler<Cloudflare.Env>
