// Fills three tenants of the application that `npm start` serves, and reads them back. What is there
// already is not added again. Exits with 1 if a tenant has not what it was sent.

const url = process.argv[2] ?? 'http://127.0.0.1:8787'
const PASSWORD = 'correct horse'
const TASKS = 1200
const DONE = 200
const DAY = 24 * 60 * 60 * 1000

const teams = [
  { name: 'Ada', email: 'ada@example.com', verbs: ['Compute', 'Prove', 'Translate'] },
  { name: 'Grace', email: 'grace@example.com', verbs: ['Compile', 'Debug', 'Teach'] },
  { name: 'Radia', email: 'radia@example.com', verbs: ['Span', 'Route', 'Bridge'] },
]

for (const [team, { name, email, verbs }] of teams.entries()) {
  const user = await signIn(name, email)
  const tasks = Array.from({ length: TASKS }, (_, i) => task(team, i, verbs))
  const added = await user<number>(
    'POST',
    '/import',
    tasks.map((task) => JSON.stringify(task)).join('\n'),
  )
  const archived = await user<number>('POST', '/actions/archiveDone', '{}')
  const exported = await user<string>('GET', '/export')
  const open = exported.trimEnd().split('\n').length
  console.log(`${email}  ${added} added, ${archived} archived, ${open} open`)
  if (open !== TASKS - DONE) {
    console.log(`It should have ${TASKS - DONE} that are open.`)
    process.exitCode = 1
  }
}
console.log(`Sign in at ${url} with one of the addresses and the password "${PASSWORD}".`)

/** The same id each time. The first of a team are done. */
function task(team: number, i: number, verbs: readonly string[]) {
  const created = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString()
  return {
    id: `${String(team).padStart(8, '0')}-0000-4000-8000-${String(i).padStart(12, '0')}`,
    title: `${verbs[i % verbs.length]} number ${i}`,
    done: i < DONE,
    due_at: i % 3 === 0 ? new Date(Date.UTC(2027, 0, 1) + i * DAY).toISOString() : null,
    labels: i % 5 === 0 ? ['important'] : [],
    created_at: created,
    updated_at: created,
  }
}

/** Signs up, or in, and returns what sends requests as that user. */
async function signIn(name: string, email: string) {
  const authenticate = (how: string): Promise<Response> =>
    fetch(new URL(`/api/auth/${how}/email`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ name, email, password: PASSWORD }),
    })
  const signedUp = await authenticate('sign-up')
  const response = signedUp.ok ? signedUp : await authenticate('sign-in')
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return async <T>(method: string, path: string, body?: string): Promise<T> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { cookie },
      ...(body !== undefined && { body }),
    })
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`)
    }
    const text = await response.text()
    return path === '/export' ? (text as T) : (JSON.parse(text) as { value: T }).value
  }
}
