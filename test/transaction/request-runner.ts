import { type ControlledTransaction, Kysely, sql } from 'kysely'
import { DurableObjectSqliteDialect, SyncExecutor, withDoTransaction } from '../../src/index.js'
import { newObject } from '../harness.js'
import type { Step, Steps } from './random-requests.js'
import { type Level, StorageBook } from './storage-book.js'

type Outcome = 'pending' | 'resolved' | 'rejected'

/** A step that was begun. */
export interface Begun {
  readonly step: Step
  outcome: Outcome
  error?: unknown
  /** The transaction that it is. */
  level?: Level | undefined
}

/** An insert of one row. */
export interface Insert {
  readonly id: number
  readonly on: 'storage' | 'db' | 'trx'
  /** The transaction that it was sent to. */
  readonly sentTo: Level | undefined
  outcome: Outcome
  /** What was open each time that it ran, the innermost last. */
  readonly ran: { readonly open: readonly Level[]; readonly isEnding: boolean }[]
}

interface Database {
  item: { id: number }
}

/** Which savepoints are open is not known to the types. */
type Controlled = ControlledTransaction<Database, string[]>

interface Scope {
  readonly trx: Kysely<Database> | undefined
  readonly controlled: Controlled | undefined
  readonly level: Level | undefined
  readonly isLeftAlone: boolean
}

const OUTSIDE: Scope = {
  trx: undefined,
  controlled: undefined,
  level: undefined,
  isLeftAlone: false,
}

/**
 * Of a `storage.transaction()` or a `blockConcurrencyWhile()` that nobody awaits, which holds up others.
 * What it awaited of a transaction would hold it up in turn, until the platform resets the object.
 */
const LEFT_ALONE: Scope = { ...OUTSIDE, isLeftAlone: true }

const WAITS_FOR_TRANSACTIONS: ReadonlySet<Step['do']> = new Set([
  'query',
  'db.transaction',
  'db.startTransaction',
])

/** Milliseconds. */
const TRANSACTION_TIMEOUT = 15

export class Thrown extends Error {}

/** What happened on one object, in all requests. */
export class History {
  readonly book = new StorageBook()
  readonly steps: Begun[] = []
  readonly inserts = new Map<number, Insert>()

  insert(on: Insert['on'], sentTo: Level | undefined): Insert {
    const id = this.inserts.size + 1
    const insert: Insert = { id, on, sentTo, outcome: 'pending', ran: [] }
    this.inserts.set(id, insert)
    return insert
  }

  ran({ ran }: Insert): void {
    const { open } = this.book
    ran.push({ open: [...open], isEnding: open.some(({ hasReturned }) => hasReturned) })
  }
}

/** Does what a request is to do, in the object. */
export class RequestRunner {
  readonly #history: History
  readonly #ctx: DurableObjectState
  readonly #db: Kysely<Database>
  readonly #begun: Promise<unknown>[] = []

  constructor(history: History, ctx: DurableObjectState) {
    this.#history = history
    this.#ctx = ctx
    this.#db = new Kysely<Database>({
      dialect: new DurableObjectSqliteDialect(history.book.record(ctx.storage, 'dialect'), {
        transactionTimeout: TRANSACTION_TIMEOUT,
        onQuery: ({ query, error }) => {
          const insert = history.inserts.get(Number(/\((\d+)\)/.exec(query.sql)?.[1]))
          if (insert !== undefined && error === undefined) {
            history.ran(insert)
          }
        },
      }),
    })
  }

  /** Resolves when everything that was begun has settled. */
  async run(steps: Steps): Promise<void> {
    await this.#run(steps, OUTSIDE).catch(() => {})
    for (let i = 0; i < this.#begun.length; i++) {
      await this.#begun[i]
    }
  }

  async #run(steps: Steps, scope: Scope): Promise<void> {
    for (const step of steps) {
      const promise = this.#begin(step, scope)
      const waits = !(scope.isLeftAlone && WAITS_FOR_TRANSACTIONS.has(step.do))
      if (step.isAwaited && waits) {
        await (step.isCaught ? promise.catch(() => {}) : promise)
      }
    }
  }

  #begin(step: Step, scope: Scope): Promise<unknown> {
    const begun: Begun = { step, outcome: 'pending' }
    this.#history.steps.push(begun)
    const promise = this.#do(step, scope, begun)
    this.#begun.push(settle(begun, promise))
    return promise
  }

  async #do(step: Step, scope: Scope, begun: Begun): Promise<unknown> {
    const { storage } = this.#ctx
    const { book } = this.#history
    switch (step.do) {
      case 'query':
        return this.#query(step, scope)
      case 'sync':
        return this.#sync(step, scope)
      case 'ticks':
        for (let i = 0; i < step.count; i++) {
          await Promise.resolve()
        }
        return undefined
      case 'timer':
        return scheduler.wait(step.ms)
      case 'call':
        return newObject().greet('Ada')
      case 'throw':
        throw new Thrown('thrown')
      case 'savepoint':
        return scope.controlled?.savepoint(step.name).execute()
      case 'rollback to':
        return scope.controlled?.rollbackToSavepoint(step.name).execute()
      case 'release':
        return scope.controlled?.releaseSavepoint(step.name).execute()
      case 'block':
        // What it throws would reset the object.
        return this.#ctx.blockConcurrencyWhile(() =>
          this.#run(step.steps, within(step, scope)).catch(() => {}),
        )
      case 'storage.transaction':
        return book
          .record(storage, 'test')
          .transaction(() => this.#run(step.steps, within(step, scope)))
      case 'db.transaction':
        return this.#db.transaction().execute((trx) => {
          begun.level = book.ofDialect
          return this.#run(step.steps, { ...OUTSIDE, trx, level: begun.level })
        })
      case 'db.startTransaction':
        return this.#controlled(step.steps, step.end, begun)
    }
  }

  async #query(
    { on, fails }: Extract<Step, { do: 'query' }>,
    { trx, level }: Scope,
  ): Promise<void> {
    const insert = this.#insert(on, trx, level)
    try {
      await sql
        .raw(`insert into item values (${insert.id})${fails ? ', (0)' : ''}`)
        .execute(insert.on === 'trx' ? trx! : this.#db)
      insert.outcome = 'resolved'
    } catch (error) {
      insert.outcome = 'rejected'
      throw error
    }
  }

  #sync({ on, fails }: Extract<Step, { do: 'sync' }>, { trx, level }: Scope): void {
    const { storage } = this.#ctx
    const insert = this.#insert(on, trx, level)
    const throwIfFails = (): void => {
      if (fails) {
        throw new Thrown('thrown in a synchronous transaction')
      }
    }
    try {
      if (insert.on === 'storage') {
        withDoTransaction(storage, (sql) => {
          sql.exec('insert into item values (?)', insert.id)
          this.#history.ran(insert)
          throwIfFails()
        })
      } else {
        const db = insert.on === 'trx' ? trx! : this.#db
        const sync = new SyncExecutor(db, storage)
        sync.transaction(() => {
          sync.run(sql`insert into item values (${sql.lit(insert.id)})`.compile(db))
          throwIfFails()
        })
      }
      insert.outcome = 'resolved'
    } catch (error) {
      insert.outcome = 'rejected'
      // It was undone.
      insert.ran.length = 0
      throw error
    }
  }

  async #controlled(steps: Steps, end: 'commit' | 'rollback', begun: Begun): Promise<void> {
    const trx = (await this.#db.startTransaction().execute()) as unknown as Controlled
    begun.level = this.#history.book.ofDialect
    try {
      await this.#run(steps, { ...OUTSIDE, trx, controlled: trx, level: begun.level })
    } catch (error) {
      await trx.rollback().execute()
      throw error
    }
    await (end === 'commit' ? trx.commit() : trx.rollback()).execute()
  }

  #insert(on: Insert['on'], trx: Kysely<Database> | undefined, level: Level | undefined): Insert {
    return on === 'trx' && trx === undefined
      ? this.#history.insert('db', undefined)
      : this.#history.insert(on, on === 'trx' ? level : undefined)
  }
}

async function settle(begun: Begun, promise: Promise<unknown>): Promise<void> {
  try {
    await promise
    begun.outcome = 'resolved'
  } catch (error) {
    begun.outcome = 'rejected'
    begun.error = error
  }
}

/**
 * Where savepoints are set by the body, `trx` and they are for the body alone: a query on `trx` waits for
 * what is done with a savepoint, which may wait for what the query is in.
 */
function within({ isAwaited }: Step, scope: Scope): Scope {
  if (!isAwaited) {
    return LEFT_ALONE
  }
  return scope.controlled === undefined ? scope : OUTSIDE
}
