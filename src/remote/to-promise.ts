/**
 * The promise of a call as one of the language's. `await` attaches to the platform's own a tick later, by
 * which time one that was refused at once counts as unhandled at compatibility dates before
 * `unhandled_rejection_after_microtask_checkpoint`.
 *
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
export function toPromise<T>(call: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    void call.then(resolve, reject)
  })
}
