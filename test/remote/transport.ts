import { env } from 'cloudflare:workers'
import type { Command, RemoteDatabaseStub } from '../../src/remote/protocol.js'
import type { RemoteDatabaseLike } from '../../src/remote/index.js'
import type { TestObject } from '../worker.js'

type AnyCall = (...args: never[]) => PromiseLike<unknown>

/**
 * The way to an object and back, which can be made long. It counts round trips as a clock would that
 * stands still but while something travels: what waits for an answer is one later than when it asked,
 * and what is sent together arrives together.
 */
export class Transport {
  /** Sessions opened, and methods called on them. */
  readonly log: string[] = []
  readonly #id: DurableObjectId
  readonly #key: string
  /** Milliseconds, one way. */
  readonly #delay: number
  /** Half round trips since the beginning. */
  #now = 0
  #taken = 0
  #database: RemoteDatabaseStub | undefined

  constructor({ id }: DurableObjectStub<TestObject>, key: string, roundTrip = 0) {
    this.#id = id
    this.#key = key
    this.#delay = roundTrip / 2
  }

  /** Since the beginning, or since this was asked for. */
  takeRoundTrips(): number {
    const roundTrips = (this.#now - this.#taken) / 2
    this.#taken = this.#now
    return roundTrips
  }

  /** What a `RemoteDurableObjectDialect` is made from. */
  readonly open = (): RemoteDatabaseLike => {
    this.log.push('open')
    this.#database = undefined
    const call = (name: 'execute' | 'batch'): AnyCall => {
      return (...args) => this.#send(name, () => (this.#arrived()[name] as AnyCall)(...args))
    }
    return {
      execute: call('execute'),
      batch: call('batch'),
      stream: (...[query, chunkSize]: Parameters<RemoteDatabaseStub['stream']>) => {
        this.log.push('stream')
        let cursor: ReturnType<RemoteDatabaseStub['stream']> | undefined
        const arrived = () => (cursor ??= this.#arrived().stream(query, chunkSize))
        return {
          next: () => this.#send('next', () => arrived().next()),
          close: () => this.#send('close', () => arrived().close()),
          [Symbol.dispose]: () => cursor?.[Symbol.dispose](),
        }
      },
      transaction: (...[settings, first, step]: Parameters<RemoteDatabaseStub['transaction']>) => {
        let objectTime = this.#now + 1
        return this.#send(
          'transaction',
          () =>
            this.#arrived().transaction(settings, first, async (reply): Promise<Command> => {
              await this.#travel()
              this.#now = Math.max(this.#now, objectTime + 1)
              const command = await step(reply)
              objectTime = this.#now + 1
              await this.#travel()
              return command
            }),
          () => objectTime,
        )
      },
    }
  }

  #arrived(): RemoteDatabaseStub {
    return (this.#database ??= env.OBJECT.get(this.#id).database(
      this.#key,
    ) as unknown as RemoteDatabaseStub)
  }

  async #send<T>(
    name: string,
    call: () => PromiseLike<T>,
    answered: () => number = (
      (sent) => () =>
        sent + 1
    )(this.#now),
  ): Promise<T> {
    this.log.push(name)
    await this.#travel()
    const reply = await call()
    await this.#travel()
    this.#now = Math.max(this.#now, answered() + 1)
    return reply
  }

  async #travel(): Promise<void> {
    if (this.#delay > 0) {
      await scheduler.wait(this.#delay)
    }
  }
}
