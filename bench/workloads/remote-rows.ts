import { forms } from '../row-forms.ts'
import { fillEvent } from '../schema.ts'
import type { RemoteObject, Workload } from '../workload.ts'

const through = (name: keyof typeof forms) => (object: RemoteObject) => async () => {
  // Its form is for the Worker to know, and so its type is none that RPC carries.
  const sent: PromiseLike<unknown> = object.form(name)
  return forms[name].receive(await sent)
}

export default {
  title: 'from a Worker: the forms in which 1000 rows × 8 columns may travel',
  order: 25,
  operations: 8,
  onlyByName: true,
  setup: fillEvent,
  remoteVariants: {
    objects: through('objects'),
    arrays: through('arrays'),
    columns: through('columns'),
    json: through('json'),
  },
} satisfies Workload
