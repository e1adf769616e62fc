import { DurableObjectSqliteError } from './errors.js'

/** The option `transactionTimeout`, in milliseconds. Throws `ERR_INVALID_OPTION`. */
export function toTimeout(value: unknown, byDefault: number): number {
  if (value === undefined) {
    return byDefault
  }
  if (typeof value !== 'number' || !(value > 0)) {
    throw new DurableObjectSqliteError(
      'ERR_INVALID_OPTION',
      `transactionTimeout is ${typeof value === 'number' ? value : `of type ${typeof value}`}. Pass a ` +
        `number of milliseconds above 0, or leave it out for ${byDefault.toLocaleString('en')}.`,
    )
  }
  return value
}
