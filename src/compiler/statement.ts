import type { SqliteParameter } from '../statement/parameters.js'
import type { JsonArray } from './json-text.js'

/** A part of SQL text: the text itself, a parameter, or the place of a value that comes in rows. */
export type Token = string | Parameter | Slot

/** A value to bind, at one or more places of the text. */
export class Parameter {
  readonly value: SqliteParameter | JsonArray

  constructor(value: SqliteParameter | JsonArray) {
    this.value = value
  }
}

/** The place of one of the values of a cell, by its index there. */
export class Slot {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }
}

export interface Statement {
  readonly sql: string
  readonly parameters: readonly (SqliteParameter | JsonArray)[]
}

/** The text of the tokens. Its placeholders are numbered if a parameter appears more than once. */
export function toStatement(tokens: readonly Token[]): Statement {
  const numbers = new Map<Token, number>()
  let isNumbered = false
  for (const token of tokens) {
    if (token instanceof Parameter) {
      isNumbered ||= numbers.has(token)
      numbers.set(token, numbers.get(token) ?? numbers.size + 1)
    }
  }
  let sql = ''
  const parameters: (SqliteParameter | JsonArray)[] = []
  for (const token of tokens) {
    if (typeof token === 'string') {
      sql += token
    } else if (token instanceof Parameter) {
      const number = numbers.get(token)
      sql += isNumbered ? `?${number}` : '?'
      if (number === parameters.length + 1) {
        parameters.push(token.value)
      }
    }
  }
  return { sql, parameters }
}
