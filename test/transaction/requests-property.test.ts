import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRemote } from '../harness.js'
import { randomRequests, type Step, type Steps } from './random-requests.js'
import { runRequests } from './run-requests.js'

const SEED = 20_261_121
const RUNS = 150
const AT_ONCE = 10

type Transaction = Extract<Step, { readonly steps: Steps }>

const query: Step = { do: 'query', on: 'db', fails: false, isAwaited: true, isCaught: true }
const timer: Step = { do: 'timer', ms: 3, isAwaited: true, isCaught: false }

function transaction(
  kind: Transaction['do'] | 'savepoint' | 'release' | 'rollback to',
  steps: Steps = [],
  manner: { isAwaited: boolean; end?: 'commit' | 'rollback' } = { isAwaited: true },
): Step {
  return { do: kind, name: 'a', end: 'commit', steps, isCaught: false, ...manner }
}

const notAwaited = { isAwaited: false }

/** Each has failed once, and is as small as it could be made. */
const found: [string, readonly Steps[]][] = [
  [
    'a rollback beside a storage.transaction() that nobody awaits',
    [
      [
        transaction('db.startTransaction', [
          transaction('storage.transaction', [query, { ...timer, ms: 25 }], notAwaited),
          transaction('db.startTransaction'),
        ]),
      ],
    ],
  ],
  [
    'a commit beside a savepoint that nobody awaits',
    [[transaction('db.startTransaction', [transaction('savepoint', [], notAwaited)])]],
  ],
  [
    'a rollback beside the release of a savepoint that nobody awaits',
    [
      [
        transaction(
          'db.startTransaction',
          [transaction('savepoint'), transaction('release', [], notAwaited)],
          { isAwaited: true, end: 'rollback' },
        ),
      ],
    ],
  ],
  [
    'a savepoint behind another that nobody awaits',
    [
      [
        transaction('db.startTransaction', [
          transaction('savepoint', [], notAwaited),
          transaction('savepoint'),
        ]),
      ],
    ],
  ],
  [
    'a timer behind a savepoint that nobody awaits',
    [[transaction('db.startTransaction', [transaction('savepoint', [], notAwaited), timer])]],
  ],
]

// Not remote: transactions of the platform are opened in the object.
describe.skipIf(isRemote)('requests with transactions in transactions, some not awaited', () => {
  it('should keep what they say they did, all of it or nothing, and leave the object as it was', async () => {
    const samples = fc.sample(randomRequests, { numRuns: RUNS, seed: SEED })
    const faults: unknown[] = []
    const runAll = async (): Promise<void> => {
      for (let sample = samples.pop(); sample !== undefined; sample = samples.pop()) {
        const found = await runRequests(sample)
        if (found.length > 0) {
          faults.push({ faults: found, requests: JSON.stringify(sample) })
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, runAll))
    expect(faults).toEqual([])
  })

  it.each(found)('should do so with %s', async (_, requests) => {
    expect(await runRequests(requests)).toEqual([])
  })
})
