import { DurableObjectSqliteError } from '../platform/errors.js'
import { MAX_PARAMETERS, MAX_VALUE_BYTES } from '../platform/limits.js'
import type { SqliteParameter } from '../statement/parameters.js'
import { isBlob, JsonArray, toJsonElement } from './json-text.js'

/** A part of SQL text: the text itself, or what binds a parameter there. */
export type Token = string | Value | Source

/** A value by itself. */
export class Value {
  readonly value: SqliteParameter
  /** Whether SQLite takes nothing but a parameter there. */
  readonly isBound: boolean

  constructor(value: SqliteParameter, isBound: boolean) {
    this.value = value
    this.isBound = isBound
  }
}

/** The elements of a JSON array as rows: `json_each(?)`. */
export class Source {
  readonly each: string
  readonly elements: JsonArray

  constructor(each: string, elements: JsonArray) {
    this.each = each
    this.elements = elements
  }
}

export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqliteParameter[]
}

/** How values travel: each bound, or by position in shared JSON texts, or the elements of sources too. */
export type Shared = 'nothing' | 'values' | 'values and sources'

const STEPS: readonly Shared[] = ['nothing', 'values', 'values and sources']

/**
 * The text of the tokens, with no more parameters than the platform binds. Where there would be more,
 * each value becomes `(?1 ->> 0)`, by its position in a JSON text that all of them share. Like a
 * parameter that has no affinity, no collation and no subtype, and it stands where the parameter would.
 *
 * Throws `ERR_TOO_MANY_PARAMETERS` where even the JSON texts are too many.
 */
export function toStatement(tokens: readonly Token[], atLeast: Shared = 'nothing'): Statement {
  let count = 0
  for (const shared of STEPS.slice(STEPS.indexOf(atLeast))) {
    const writer = new StatementWriter(shared)
    for (const token of tokens) {
      writer.append(token)
    }
    const { sql, parameters } = writer
    count = parameters.length
    if (count <= MAX_PARAMETERS) {
      return {
        sql,
        parameters: parameters.map((value) => (value instanceof JsonArray ? String(value) : value)),
      }
    }
  }
  throw new DurableObjectSqliteError(
    'ERR_TOO_MANY_PARAMETERS',
    `The values of the query are so large that they take ${count} parameters of ${MAX_VALUE_BYTES} ` +
      `bytes, and the platform allows ${MAX_PARAMETERS}. Send them in several queries, inside ` +
      'db.transaction() if they belong together.',
  )
}

class StatementWriter {
  readonly #shared: Shared
  readonly parameters: (SqliteParameter | JsonArray)[] = []
  sql = ''
  /** The JSON text that still has room, and its number. */
  #text: JsonArray | undefined
  #textNumber = 0

  constructor(shared: Shared) {
    this.#shared = shared
  }

  append(token: Token): void {
    if (typeof token === 'string') {
      this.sql += token
    } else if (token instanceof Value) {
      this.#appendValue(token)
    } else if (this.#shared === 'values and sources') {
      this.sql += `${token.each}(${this.#share(String(token.elements)).join(", '$[")}]')`
    } else {
      this.sql += `${token.each}(${this.#bind(token.elements)})`
    }
  }

  #appendValue({ value, isBound }: Value): void {
    const json = this.#shared === 'nothing' || isBound ? undefined : toJsonElement(value)
    if (json === undefined) {
      this.sql += this.#bind(value)
    } else {
      const place = this.#share(json).join(' ->> ')
      this.sql += isBlob(value) ? `unhex(${place})` : `(${place})`
    }
  }

  #bind(value: SqliteParameter | JsonArray): string {
    const number = this.parameters.push(value)
    return this.#shared === 'nothing' ? '?' : `?${number}`
  }

  /** Puts the JSON in a text for the whole query. Returns its placeholder and the index in it. */
  #share(json: string): [placeholder: string, index: number] {
    let index = this.#text?.add(json)
    if (index === undefined) {
      this.#text = new JsonArray()
      this.#textNumber = this.parameters.push(this.#text)
      index = this.#text.add(json)!
    }
    return [`?${this.#textNumber}`, index]
  }
}
