import type { ControlledTransaction, Kysely, TransactionSettings } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { CommandRunner } from './command-runner.js'
import { isTooLarge, resultTooLarge } from './message-size.js'
import type { Command, Outcome, StepStub } from './protocol.js'
import { toPromise } from './to-promise.js'
import { toWireError } from './wire-error.js'
import type { WireReply } from './wire-result.js'

/** The longest time of a timer, in milliseconds: 2^31 - 1. */
const MAX_DELAY = 2_147_483_647

export interface RemoteTransactionOptions {
  readonly db: Kysely<unknown>
  readonly settings: TransactionSettings
  readonly isReadOnly: boolean
  /** How long to wait for the next command, in milliseconds. */
  readonly timeout: number
}

/**
 * Runs a transaction that is told from outside what to do next, by what `step` returns, and rolls it back
 * if nothing comes. Returns the reply to the command that ended it.
 */
export async function runTransaction(
  options: RemoteTransactionOptions,
  first: Command,
  step: StepStub,
): Promise<WireReply<Outcome>> {
  let trx: ControlledTransaction<unknown>
  try {
    trx = await begin(options)
  } catch (error) {
    return { error: toWireError(error) }
  }
  const runner = new CommandRunner(trx, options.isReadOnly)
  try {
    let command = first
    while (command.type !== 'commit' && command.type !== 'rollback') {
      const reply = await runner.run(command)
      command = await withinTime(nextCommand(step, reply), options.timeout)
    }
    await runner.closeStream()
    if (command.type === 'commit') {
      runner.assertNotFailed()
      await trx.commit().execute()
    } else {
      await trx.rollback().execute()
    }
    return { ok: null }
  } catch (error) {
    return { error: toWireError(error, options.isReadOnly) }
  } finally {
    if (!trx.isCommitted && !trx.isRolledBack) {
      // It would wait for the end of a stream.
      await runner.closeStream()
      await trx.rollback().execute()
    }
  }
}

function begin({ db, settings, isReadOnly }: RemoteTransactionOptions) {
  let builder = db.startTransaction()
  if (settings.isolationLevel !== undefined) {
    builder = builder.setIsolationLevel(settings.isolationLevel)
  }
  return builder
    .setAccessMode(isReadOnly ? 'read only' : (settings.accessMode ?? 'read write'))
    .execute()
}

async function nextCommand(step: StepStub, reply: WireReply<Outcome>): Promise<Command> {
  try {
    return await toPromise(step(reply))
  } catch (error) {
    if (!isTooLarge(error)) {
      throw error
    }
    return await toPromise(step({ error: toWireError(resultTooLarge(error, undefined)) }))
  }
}

/** The timer is started inside the innermost `storage.transaction()`: the platform holds back others. */
function withinTime<T>(promise: Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(fellSilent(timeout)), Math.min(timeout, MAX_DELAY))
    void promise.then(resolve, reject).then(() => clearTimeout(timer))
  })
}

function fellSilent(timeout: number): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_TRANSACTION_TIMEOUT',
    `The transaction waited for ${timeout} ms for its next statement and has been rolled back: ` +
      'meanwhile the object serves nobody else. Do slow work before the transaction begins. If it ' +
      'really takes that long, set transactionTimeout of the RemoteDatabase.',
  )
}
