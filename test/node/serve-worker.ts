import { globSync, readFileSync } from 'node:fs'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'

// Serves a Worker that was built, on a free port, in plain workerd: without what `wrangler dev` puts in
// front of it. The arguments are the directory with its wrangler.json, and one for its state.

const [directory = '', state = ''] = process.argv.slice(2)

interface Configuration {
  readonly name: string
  readonly main: string
  readonly compatibility_date: string
  readonly compatibility_flags: string[]
  readonly vars: Record<string, string>
  readonly durable_objects: { bindings: { name: string; class_name: string }[] }
}

const { name, main, compatibility_date, compatibility_flags, vars, durable_objects } = JSON.parse(
  readFileSync(`${directory}/wrangler.json`, 'utf8'),
) as Configuration
const paths = [main, ...globSync('**/*.js', { cwd: directory }).filter((path) => path !== main)]

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name,
    modules: paths.map((path) => ({
      type: 'ESModule' as const,
      path: `${directory}/${path}`,
    })),
    modulesRoot: directory,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings: vars,
    durableObjects: Object.fromEntries(
      durable_objects.bindings.map(({ name, class_name }) => [
        name,
        { className: class_name, useSQLite: true },
      ]),
    ),
    resourcePersistencePath: state,
    host: '127.0.0.1',
    port: 0,
  }),
)
const { origin } = await miniflare.ready
console.log(`Ready on ${origin}`)
process.once('SIGTERM', () => {
  void miniflare.dispose().then(() => process.exit())
})
