import {
  connectionLost,
  isConnectionLost,
  isOfAnotherRequest,
  type Sent,
} from './connection-lost.js'
import { isTooLarge, queryTooLarge, resultTooLarge } from './message-size.js'
import type { RemoteDatabaseStub } from './protocol.js'
import { toPromise } from './to-promise.js'

/** A {@link RemoteDatabase} as a Worker sees it: a stub. Its methods are for the dialect. */
export interface RemoteDatabaseLike {
  /** For the dialect. */
  readonly execute: (...args: never[]) => unknown
  /** For the dialect. */
  readonly batch: (...args: never[]) => unknown
  /** For the dialect. */
  readonly stream: (...args: never[]) => unknown
  /** For the dialect. */
  readonly transaction: (...args: never[]) => unknown
}

/**
 * A function that calls the method of the object, and returns what that returns: a stub of the
 * {@link RemoteDatabase}.
 */
export type OpenRemoteDatabase = () => RemoteDatabaseLike | PromiseLike<RemoteDatabaseLike>

/** How a call is to be treated if the connection breaks. */
export interface CallOptions {
  readonly sent: () => Sent
  /** Whether it may be sent a second time. */
  readonly isRepeatable: () => boolean
  readonly sql: string | undefined
}

interface OpenSession {
  /** Calls on a promise of the platform's travel with the call that it is the promise of. */
  readonly stub: RemoteDatabaseStub | Promise<RemoteDatabaseStub>
  /** Whether the object has answered. */
  readonly wasOpened: Promise<boolean>
}

/**
 * The session that all queries of a Kysely instance share: opened by the first, and anew by the next one
 * after it broke.
 */
export class RemoteSession {
  readonly #open: OpenRemoteDatabase
  #current: OpenSession | undefined

  constructor(open: OpenRemoteDatabase) {
    this.#open = open
  }

  /** Calls the object. Rejects with `ERR_CONNECTION_LOST` if it does not answer. */
  async call<T>(
    send: (database: RemoteDatabaseStub) => PromiseLike<T>,
    { sent, isRepeatable, sql }: CallOptions,
  ): Promise<T> {
    for (let isFirst = true; ; isFirst = false) {
      const session = (this.#current ??= openSession(this.#open))
      try {
        const { stub } = session
        return await toPromise(send(stub instanceof Promise ? await stub : stub))
      } catch (error) {
        if (isTooLarge(error)) {
          throw isOfObject(error) ? resultTooLarge(error, sql) : queryTooLarge(error, sql)
        }
        const isUnsent = isOfAnotherRequest(error)
        if (!isUnsent && !isConnectionLost(error)) {
          this.#forget(session)
          throw error
        }
        const mayRepeat = isFirst && (isUnsent || isRepeatable())
        const wasOpen = isUnsent || mayRepeat || (await session.wasOpened)
        this.#forget(session)
        if (!mayRepeat) {
          throw connectionLost(error as Error, sent(), wasOpen, sql)
        }
      }
    }
  }

  /** Lets go of the object. */
  dispose(): void {
    if (this.#current !== undefined) {
      this.#forget(this.#current)
    }
  }

  #forget(session: OpenSession): void {
    if (this.#current === session) {
      this.#current = undefined
    }
    void disposeOf(session)
  }
}

function openSession(open: OpenRemoteDatabase): OpenSession {
  const stub = open() as unknown as OpenSession['stub']
  // Handled here: whoever waits for an answer is told by the call that got none.
  const wasOpened = Promise.resolve(stub).then(
    () => true,
    () => false,
  )
  return { stub, wasOpened }
}

/** A stub that is of another request, or disposed of, throws. */
async function disposeOf({ stub }: OpenSession): Promise<void> {
  try {
    const database = stub instanceof Promise ? await stub : stub
    database[Symbol.dispose]?.()
  } catch {
    // There is nothing to let go of.
  }
}

function isOfObject(error: Error): boolean {
  return (error as { remote?: boolean }).remote === true
}
