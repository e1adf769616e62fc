import { DurableObjectSqliteError } from '../platform/errors.js'
import { toReadOnlyError } from './read-only.js'

/**
 * An error as data. What crosses the border as an `Error` loses its code, its hint and its class at
 * compatibility dates before 2026.
 */
export interface WireError {
  readonly name: string
  readonly message: string
  /** Undefined for an error that is none of this library's. */
  readonly code: DurableObjectSqliteError['code'] | undefined
  readonly hint: string | undefined
  readonly sql: string | undefined
  /** The message of the cause. */
  readonly cause: string | undefined
  /** Of a batch: which query failed, from 0. */
  readonly index: number | undefined
}

/** @param isReadOnly Whether a write in a read only transaction is one to a read only database. */
export function toWireError(thrown: unknown, isReadOnly = false): WireError {
  const error = isReadOnly ? toReadOnlyError(thrown) : thrown
  if (!(error instanceof Error)) {
    return { ...EMPTY, name: 'Error', message: String(error) }
  }
  const { name, message } = error
  if (!(error instanceof DurableObjectSqliteError)) {
    return { ...EMPTY, name, message }
  }
  const { code, hint, sql, cause, index } = error
  return { name, message, code, hint, sql, index, cause: (cause as Error | undefined)?.message }
}

const EMPTY = {
  code: undefined,
  hint: undefined,
  sql: undefined,
  cause: undefined,
  index: undefined,
}

/** The error that the object rejected with, as nearly as another isolate can have it. */
export function fromWireError({ name, message, code, hint, sql, cause, index }: WireError): Error {
  if (code === undefined) {
    const error = new Error(message)
    if (name !== 'Error') {
      error.name = name
    }
    return error
  }
  return new DurableObjectSqliteError(code, message, {
    hint,
    sql,
    index,
    ...(cause === undefined ? undefined : { cause: new Error(cause) }),
  })
}
