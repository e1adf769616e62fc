import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Kysely, sql } from 'kysely'
import { DurableObjectSqliteDialect, DurableObjectSqliteError } from '../../src/index.js'
import { newObject } from '../harness.js'
import type { Steps } from './random-requests.js'
import { type Begun, History, type Insert, RequestRunner, Thrown } from './request-runner.js'
import { isKept, isWithin } from './storage-book.js'

/** Milliseconds. */
const LATE = 10_000

const CODES: ReadonlySet<string> = new Set([
  'ERR_TRANSACTION_ENDED',
  'ERR_TRANSACTION_OPEN',
  'ERR_TRANSACTION_TIMEOUT',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
])

/** Sends the requests to a new object at once, and returns what is not as it has to be. */
export async function runRequests(requests: readonly Steps[], late = LATE): Promise<string[]> {
  const stub = newObject()
  const { id } = stub
  const history = new History()
  const instance = await runInDurableObject(stub, async (instance, { storage }) => {
    storage.sql.exec('create table item (id integer primary key)')
    storage.sql.exec('insert into item values (0)')
    return instance
  })
  const resets: unknown[] = []
  const ended = Promise.all(
    requests.map((steps) =>
      runInDurableObject(stub, (_, ctx) => new RequestRunner(history, ctx).run(steps)).catch(
        (error: unknown) => resets.push(error),
      ),
    ),
  )
  if ((await Promise.race([ended, scheduler.wait(late)])) === undefined) {
    const pending = history.steps.filter(({ outcome }) => outcome === 'pending')
    return [`late: ${pending.map(({ step }) => step.do).join(', ')}`]
  }
  if (resets.length > 0) {
    return history.book.mayReset ? [] : [`reset: ${String(resets[0])}`]
  }
  return runInDurableObject(env.OBJECT.get(id), async (sameInstance, { storage }) => {
    if (sameInstance !== instance) {
      return history.book.mayReset ? [] : ['reset']
    }
    const ids = new Set([...storage.sql.exec('select id from item').raw()].flat())
    const db = new Kysely({ dialect: new DurableObjectSqliteDialect(storage) })
    await db.transaction().execute((trx) => sql`insert into item values (-1)`.execute(trx))
    return [
      ...[...history.inserts.values()].flatMap((insert) => faultsOf(insert, ids.has(insert.id))),
      ...history.steps.flatMap((begun) => faultsOfStep(begun)),
      ...(storage.sql.exec('select id from item where id = -1').toArray().length === 1
        ? []
        : ['no transaction works afterwards']),
    ]
  })
}

function faultsOf({ id, on, sentTo, outcome, ran }: Insert, isThere: boolean): string[] {
  const faults: string[] = []
  const expect = (isRight: boolean, fault: string): void => {
    if (!isRight) {
      faults.push(`insert ${id} on ${on} ${fault}`)
    }
  }
  expect(ran.length === (outcome === 'resolved' ? 1 : 0), `${outcome}, and ran ${ran.length} times`)
  const [first] = ran
  if (first === undefined) {
    expect(!isThere, 'is there, and did not run')
    return faults
  }
  const { open, isEnding } = first
  const innermost = open.at(-1)
  // Whether it was in what is ending only the platform knows.
  const levels = isEnding ? [undefined, ...open] : [innermost]
  expect(
    levels.some((level) => isKept(level) === isThere),
    isThere ? 'is there' : 'is lost',
  )
  expect(on !== 'trx' || isWithin(innermost, sentTo), 'ran outside of its transaction')
  expect(
    on !== 'db' || open.every(({ by, hasReturned }) => by === 'test' || hasReturned),
    'ran inside of a transaction',
  )
  return faults
}

function faultsOfStep({ step, outcome, error, level }: Begun): string[] {
  const isCommitted = level?.outcome === 'commit'
  if (outcome === 'rejected' && !isKnown(error)) {
    return [`${step.do} rejected: ${String(error)}`]
  }
  if (level === undefined) {
    return []
  }
  const commits = step.do === 'db.startTransaction' ? step.end === 'commit' : true
  return isCommitted === (outcome === 'resolved' && commits)
    ? []
    : [`${step.do} ${outcome}, and was ${isCommitted ? 'committed' : 'rolled back'}`]
}

function isKnown(error: unknown): boolean {
  if (error instanceof DurableObjectSqliteError) {
    return CODES.has(error.code) || error.message.startsWith('no such savepoint: ')
  }
  return (
    error instanceof Thrown ||
    // Kysely's own.
    (error instanceof Error &&
      /^Transaction is already (?:committed|rolled back)$/.test(error.message))
  )
}
