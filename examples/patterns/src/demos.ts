/** Something that was done, what came back and what should have. */
export interface Step {
  readonly did: string
  readonly got: unknown
  readonly expected: unknown
}

export interface Demo {
  /** Of its file in `patterns`. */
  readonly name: string
  readonly title: string
  readonly summary: string
  /** Runs the pattern in a new object. */
  run(env: Cloudflare.Env): Promise<readonly Step[]>
}

export const demos: readonly Demo[] = [
  {
    name: 'schema-migration',
    title: 'Schema migration on waking',
    summary: 'Each migration is applied once and whole, and again after deleteAll().',
    async run({ NOTEBOOK }) {
      const notebook = NOTEBOOK.get(NOTEBOOK.newUniqueId())
      return steps(
        ['add a note', () => notebook.add('first'), 1],
        ['delete everything', () => notebook.deleteAll()],
        ['add a note again', () => notebook.add('second'), 1],
        ['read the notes', () => notebook.notes(), ['second']],
      )
    },
  },
  {
    name: 'cache',
    title: 'In-memory cache over rows',
    summary: 'Reading, writing and updating the cache has no await in between.',
    async run({ SETTINGS }) {
      const settings = SETTINGS.get(SETTINGS.newUniqueId())
      return steps(
        [
          'append a, b and c at once',
          () => Promise.all(['a', 'b', 'c'].map((text) => settings.append('letters', text))),
          ['a', 'ab', 'abc'],
        ],
        ['read', () => settings.read('letters'), 'abc'],
      )
    },
  },
  {
    name: 'rate-limiter',
    title: 'Rate limiter',
    summary: 'One statement counts and records; the table never outgrows the limit.',
    async run({ RATE_LIMITER }) {
      const limiter = RATE_LIMITER.get(RATE_LIMITER.newUniqueId())
      const limit = { requests: 3, window: 60_000 }
      return steps([
        'ask 5 times for 3 a minute',
        () => Promise.all(Array.from({ length: 5 }, () => limiter.allow(limit))),
        [true, true, true, false, false],
      ])
    },
  },
  {
    name: 'alarm-batch',
    title: 'Batches by alarm',
    summary: 'The queue is a table, and a batch leaves it in the transaction that writes it.',
    async run({ VIEW_COUNTER }) {
      const counter = VIEW_COUNTER.get(VIEW_COUNTER.newUniqueId())
      return steps(
        [
          'view 3 pages',
          () => Promise.all(['/', '/docs', '/'].map((page) => counter.view(page))).then(() => 3),
          3,
        ],
        ['count what is queued', () => counter.queued(), 3],
        ['write the batch', () => counter.flush()],
        [
          'read the views',
          () => counter.views(),
          [
            { page: '/', views: 2 },
            { page: '/docs', views: 1 },
          ],
        ],
        ['count what is queued', () => counter.queued(), 0],
      )
    },
  },
  {
    name: 'counter',
    title: 'Safe counter',
    summary: 'It starts at 0 and misses no increment: one statement reads, adds and writes.',
    async run({ COUNTER }) {
      const counter = COUNTER.get(COUNTER.newUniqueId())
      return steps(
        ['read before the first increment', () => counter.read('visits'), 0],
        [
          'increment 20 times at once',
          () =>
            Promise.all(Array.from({ length: 20 }, () => counter.increment('visits'))).then(
              (values) => values.length,
            ),
          20,
        ],
        ['read', () => counter.read('visits'), 20],
      )
    },
  },
  {
    name: 'parent-child',
    title: 'Parent and children objects',
    summary: 'The parent writes down what it will do before it does it, so no child is orphaned.',
    async run({ WORKSPACE, DOCUMENT }) {
      const workspace = WORKSPACE.get(WORKSPACE.newUniqueId())
      return steps(
        ['create a document', () => workspace.create('Plan'), 'ready'],
        ['create it again', () => workspace.create('Plan').catch(() => 'refused'), 'refused'],
        [
          'ask the child for its title',
          async () => {
            const [document] = await workspace.documents()
            return DOCUMENT.get(DOCUMENT.idFromString(document!.id)).title()
          },
          'Plan',
        ],
        ['delete it', () => workspace.delete('Plan')],
        ['list the documents', () => workspace.documents(), []],
      )
    },
  },
  {
    name: 'write-coalescing',
    title: 'Write coalescing',
    summary: 'Many changes are one statement; who made one waits until it is stored.',
    async run({ CURSORS }) {
      const cursors = CURSORS.get(CURSORS.newUniqueId())
      return steps(
        [
          'move 2 cursors 50 times each',
          () =>
            Promise.all(
              Array.from({ length: 100 }, (_, i) => cursors.move(i % 2 ? 'ada' : 'grace', i)),
            ).then((moves) => moves.length),
          100,
        ],
        ['read the positions', () => cursors.positions(), { ada: 99, grace: 98 }],
      )
    },
  },
  {
    name: 'clean-up',
    title: 'Clean-up of alarm and storage',
    summary: 'Nothing is left of a deleted object, whatever the compatibility date.',
    async run({ DRAFT }) {
      const draft = DRAFT.get(DRAFT.newUniqueId())
      return steps(
        ['save', () => draft.save('Dear reader')],
        ['read', () => draft.read(), 'Dear reader'],
        ['delete', () => draft.delete()],
        ['read', () => draft.read()],
        ['save again', () => draft.save('Dear reader, again')],
        ['read', () => draft.read(), 'Dear reader, again'],
      )
    },
  },
]

type Action = readonly [did: string, action: () => Promise<unknown>, expected?: unknown]

async function steps(...actions: readonly Action[]): Promise<Step[]> {
  const steps: Step[] = []
  for (const [did, action, expected] of actions) {
    steps.push({ did, got: await action(), expected })
  }
  return steps
}
