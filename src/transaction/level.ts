import type { DurableObjectStorageLike } from '../platform/storage.js'

/** https://github.com/cloudflare/workerd/blob/main/src/workerd/io/actor-sqlite.c++ */
const HAS_NESTED = /while a nested transaction is still running/

/** An open `storage.transaction()`: a transaction itself or, nested in it, a savepoint. */
export interface Level {
  readonly name: string | undefined
  /** Undoes what was done in it. */
  undo(): Promise<void>
  /** Ends it. What was done in it stays, unless it was undone. */
  end(): Promise<void>
}

/**
 * Opens a level. `storage.transaction()` wants one closure for begin and end: the closure waits until
 * the end is decided. `admit` is called in it; if that returns false, so does this, and nothing is open.
 */
export function openLevel(
  storage: DurableObjectStorageLike,
  name: string | undefined,
  admit: (level: Level) => boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const ended = storage.transaction(
      (transaction) =>
        new Promise<void>((finish) => {
          const isAdmitted = admit({
            name,
            undo: () => undo(transaction),
            end() {
              finish()
              return ended
            },
          })
          if (!isAdmitted) {
            finish()
          }
          resolve(isAdmitted)
        }),
    )
    ended.catch(reject)
  })
}

/**
 * Waits for every other `storage.transaction()` that was begun inside of it and that nobody awaited.
 * Before their end the platform refuses to undo it, and if it ended nevertheless, it would be committed
 * or the object reset.
 */
async function undo(transaction: { rollback(): void }): Promise<void> {
  while (true) {
    try {
      transaction.rollback()
      return
    } catch (error) {
      if (!(error instanceof Error && HAS_NESTED.test(error.message))) {
        throw error
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
