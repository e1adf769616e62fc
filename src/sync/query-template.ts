import type { CompiledQuery } from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { toIntegerText } from '../statement/parameters.js'
import { toJsonArray } from './json-array.js'
import type { BoundQuery } from '../statement/query-columns.js'
import { QueryParameter } from './query-parameter.js'

/** The values of a prepared query's parameters, by name. */
export type GivenValues = Readonly<Record<string, unknown>>

/** A query that was compiled with a {@link QueryParameter} in the place of each value to come. */
export class QueryTemplate {
  readonly query: CompiledQuery
  readonly #gaps: readonly { readonly index: number; readonly parameter: QueryParameter }[]

  constructor(query: CompiledQuery) {
    this.query = query
    this.#gaps = query.parameters.flatMap((parameter, index) =>
      parameter instanceof QueryParameter ? { index, parameter } : [],
    )
  }

  hasGapFor(name: string): boolean {
    return this.#gaps.some(({ parameter }) => parameter.name === name)
  }

  /** Whether the values of the parameter are encoded wherever they are used. */
  encodes(name: string): boolean {
    return this.#gaps.every(
      ({ parameter }) => parameter.name !== name || parameter.encode !== undefined,
    )
  }

  /** Undefined where one of the lists has to be compiled. */
  fill(given: GivenValues): BoundQuery | undefined {
    const values = this.query.parameters.slice()
    for (const { index, parameter } of this.#gaps) {
      const value = toBinding(parameter, given[parameter.name])
      if (value === undefined) {
        return undefined
      }
      values[index] = value
    }
    return { query: this.query, parameters: values }
  }
}

function toBinding({ name, kind, encode }: QueryParameter, value: unknown): unknown {
  switch (kind) {
    case 'scalar':
      return encode === undefined ? value : encode(value)
    case 'integer': {
      const integer = encode === undefined ? value : encode(value)
      return integer === null ? null : toIntegerText(integer as bigint)
    }
    case 'list':
      if (!Array.isArray(value)) {
        throw new DurableObjectSqliteError(
          'ERR_UNSUPPORTED_PARAMETER',
          `The parameter ${name} stands for a list behind \`in\`. Pass an array.`,
        )
      }
      return toJsonArray(encode === undefined ? value : value.map(encode))
  }
}
