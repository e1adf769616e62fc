import * as fc from 'fast-check'

/** What a request does, and what is done in each transaction of it. */
export type Steps = readonly Step[]

export type Step = Action & {
  /** Whether what comes next waits for it. */
  readonly isAwaited: boolean
  /** Whether its failure is not the end of what it is in. */
  readonly isCaught: boolean
}

type Action =
  /** An insert, or one that a constraint refuses. Without a transaction around it `trx` is `db`. */
  | { readonly do: 'query'; readonly on: 'db' | 'trx'; readonly fails: boolean }
  /** The same in a synchronous transaction, past the dialect or by a `SyncExecutor`. */
  | { readonly do: 'sync'; readonly on: 'storage' | 'db' | 'trx'; readonly fails: boolean }
  | { readonly do: 'ticks'; readonly count: number }
  | { readonly do: 'timer'; readonly ms: number }
  /** A call to another object. */
  | { readonly do: 'call' }
  | { readonly do: 'throw' }
  | { readonly do: 'savepoint' | 'rollback to' | 'release'; readonly name: 'a' | 'b' }
  | { readonly do: 'db.transaction' | 'storage.transaction' | 'block'; readonly steps: Steps }
  | {
      readonly do: 'db.startTransaction'
      readonly steps: Steps
      readonly end: 'commit' | 'rollback'
    }

function oneOf<const T extends string>(...names: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...names)
}

const query = fc.record({
  do: oneOf('query'),
  on: oneOf('trx', 'db'),
  fails: fc.boolean(),
})

const other: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: oneOf('sync'), on: oneOf('storage', 'db', 'trx'), fails: fc.boolean() }),
  fc.record({ do: oneOf('ticks'), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ do: oneOf('call', 'throw') }),
)

const timer = fc.record({ do: oneOf('timer'), ms: fc.integer({ min: 0, max: 4 }) })

const savepoint = fc.record({
  do: oneOf('savepoint', 'rollback to', 'release'),
  name: oneOf('a', 'b'),
})

const { steps } = fc.letrec<{ steps: Steps; step: Step; action: Action }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 5, depthIdentifier: 'steps' }),
  step: fc
    .record({ action: tie('action'), isAwaited: fc.boolean(), isCaught: fc.boolean() })
    .map(({ action, ...manner }) => ({ ...action, ...manner })),
  action: fc.oneof(
    { depthIdentifier: 'steps', maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: query },
    { weight: 3, arbitrary: timer },
    { weight: 2, arbitrary: savepoint },
    { weight: 3, arbitrary: other },
    {
      weight: 8,
      arbitrary: fc.record({
        do: oneOf('db.transaction', 'storage.transaction', 'block'),
        steps: tie('steps'),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: oneOf('db.startTransaction'),
        steps: tie('steps'),
        end: oneOf('commit', 'rollback'),
      }),
    },
  ),
}))

/** Requests that arrive at one object at once. */
export const randomRequests: fc.Arbitrary<readonly Steps[]> = fc.array(steps, {
  minLength: 1,
  maxLength: 3,
})
