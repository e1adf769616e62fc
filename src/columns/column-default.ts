import { DurableObjectSqliteError } from '../platform/errors.js'
import { LateValue } from '../statement/late-value.js'
import type { ColumnCodec } from './table-columns.js'

/** A default or an `onUpdate` of a column, which is called when the query runs. */
export class ColumnDefault extends LateValue {
  readonly refusal = [
    'the default of a column, which is not called yet',
    'Run the query by a Kysely with this dialect',
  ] as const
  /** As errors call it. */
  readonly column: string
  readonly #call: () => unknown
  readonly #codec: ColumnCodec | undefined

  constructor(column: string, call: () => unknown, codec: ColumnCodec | undefined) {
    super()
    this.column = column
    this.#call = call
    this.#codec = codec
  }

  get isInteger(): boolean {
    return this.#codec?.isInteger === true
  }

  /** Calls it. An integer of 64 bits is given as a bigint. */
  call(): unknown {
    const value = this.#call() ?? null
    if (this.#codec !== undefined) {
      return this.#codec.encode(value)
    }
    if (typeof value === 'bigint') {
      throw new DurableObjectSqliteError(
        'ERR_UNSUPPORTED_PARAMETER',
        `The default of ${this.column} gave a bigint. Declare the column as int64().`,
      )
    }
    return value
  }

  /** Calls it, and gives what is bound: the digits of an integer, for `cast(? as integer)`. */
  bind(): unknown {
    const value = this.call()
    return typeof value === 'bigint' ? String(value) : value
  }
}
