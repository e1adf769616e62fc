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

/** True in one of so many cases. */
function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: count }).map((number) => number === count)
}

function oneOf<const T extends string>(...names: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...names)
}

const query = fc.record({
  do: oneOf('query'),
  on: oneOf('trx', 'db'),
  fails: oneIn(4),
})

const other: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: oneOf('sync'), on: oneOf('storage', 'db', 'trx'), fails: oneIn(4) }),
  fc.record({ do: oneOf('ticks'), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ do: oneOf('call', 'throw') }),
)

/** The longest is longer than what waits for a transaction may take. */
const timer = fc.record({ do: oneOf('timer'), ms: fc.constantFrom(1, 25) })

const savepoint = fc.record({
  do: oneOf('savepoint', 'rollback to', 'release'),
  name: oneOf('a', 'b'),
})

const leaf: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: query },
  { weight: 2, arbitrary: timer },
  { weight: 2, arbitrary: savepoint },
  { weight: 1, arbitrary: other },
)

const { transaction } = fc.letrec<{ steps: Steps; step: Step; transaction: Action }>((tie) => ({
  steps: fc.array(tie('step'), { minLength: 1, maxLength: 4, size: 'max' }),
  step: inSomeManner(
    fc.oneof(
      { maxDepth: 3, depthSize: 'max', withCrossShrink: true },
      { weight: 4, arbitrary: leaf },
      { weight: 3, arbitrary: tie('transaction') },
    ),
  ),
  transaction: fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: oneOf('db.transaction'), steps: tie('steps') }) },
    { weight: 3, arbitrary: fc.record({ do: oneOf('storage.transaction'), steps: tie('steps') }) },
    { weight: 1, arbitrary: fc.record({ do: oneOf('block'), steps: tie('steps') }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: oneOf('db.startTransaction'),
        steps: tie('steps'),
        end: oneOf('commit', 'rollback'),
      }),
    },
  ),
}))

function inSomeManner(action: fc.Arbitrary<Action>): fc.Arbitrary<Step> {
  return fc
    .record({ action, isAwaited: fc.boolean(), isCaught: fc.boolean() })
    .map(({ action, ...manner }) => ({ ...action, ...manner }))
}

/** Requests that arrive at one object at once. */
export const randomRequests: fc.Arbitrary<readonly Steps[]> = fc.array(
  fc.array(inSomeManner(transaction), { minLength: 1, maxLength: 2 }),
  { minLength: 1, maxLength: 2 },
)
