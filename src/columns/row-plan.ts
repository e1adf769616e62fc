import type { SqlStorageValue } from '../platform/storage.js'
import { readValue, type RowReader } from '../statement/rows.js'
import type { Additions } from './exact-selections.js'
import { isStar, type Output } from './output.js'
import { keyOf, type ValueCodec } from './table-columns.js'

type Decode = ValueCodec['decode']

/** How a property of the rows is read. */
interface Property {
  readonly name: string
  /** The position of its value. */
  index: number
  decode: Decode | undefined
}

/** Reads the rows of a query by what its columns are. */
export class RowPlan {
  readonly #output: Output
  readonly #additions: Additions
  #columnNames: readonly string[] = []
  #reader: RowReader | undefined

  constructor(output: Output, additions: Additions) {
    this.#output = output
    this.#additions = additions
  }

  /** Made once for the same columns: `*` means others after a change of the schema. */
  readonly rowReader = (columnNames: readonly string[]): RowReader => {
    const known = this.#columnNames
    if (
      this.#reader === undefined ||
      known.length !== columnNames.length ||
      known.some((name, i) => name !== columnNames[i])
    ) {
      this.#columnNames = columnNames
      this.#reader = toReader(this.#properties(columnNames))
    }
    return this.#reader
  }

  #properties(columnNames: readonly string[]): readonly Property[] {
    const { ends, exact } = this.#additions
    const width = columnNames.length - exact.length
    const lastStar = this.#output.findLastIndex(isStar)
    const properties: Property[] = []
    let position = 0
    const add = (codec: ValueCodec | undefined): Property => {
      const index = position++
      const property: Property = { name: columnNames[index]!, index, decode: codec?.decode }
      properties.push(property)
      return property
    }
    const addUntil = (end: number, codecOf: (name: string) => ValueCodec | undefined): void => {
      for (const name of columnNames.slice(position, end)) {
        add(codecOf(name))
      }
    }
    for (const [i, part] of this.#output.entries()) {
      const start = properties.length
      if (isStar(part)) {
        const end = ends.get(i)
        if (end !== undefined) {
          addUntil(columnNames.indexOf(end), (name) => part.source.codec(name))
          position++
        } else if (i === lastStar) {
          const isKnown = ends.size > 0 || this.#output.findIndex(isStar) === lastStar
          addUntil(width - (this.#output.length - 1 - i), (name) =>
            isKnown ? part.source.codec(name) : undefined,
          )
        }
      } else if (ends.size > 0 || i > lastStar || i < this.#output.findIndex(isStar)) {
        add(part.codec)
      }
      for (const [j, { part: owner, name }] of exact.entries()) {
        if (owner === i) {
          const property = properties
            .slice(start)
            .find((own) => name === undefined || keyOf(own.name) === keyOf(name))
          if (property !== undefined) {
            property.index = width + j
          }
        }
      }
    }
    return withoutShadowed(properties)
  }
}

/** Of two columns of one name the last wins, so that the other need not be decoded. */
function withoutShadowed(properties: readonly Property[]): readonly Property[] {
  const last = new Map(properties.map(({ name }, i) => [name, i]))
  for (const [i, property] of properties.entries()) {
    if (last.get(property.name) !== i) {
      property.decode = undefined
    }
  }
  return properties
}

function toReader(properties: readonly Property[]): RowReader {
  const names = properties.map(({ name }) => name)
  const indexes = properties.map(({ index }) => index)
  const decoders = properties.map(({ decode }) => decode)
  return names.includes('__proto__')
    ? (values) => readRowSafely(names, indexes, decoders, values)
    : (values) => readRow(names, indexes, decoders, values)
}

function readRow(
  names: readonly string[],
  indexes: readonly number[],
  decoders: readonly (Decode | undefined)[],
  values: readonly SqlStorageValue[],
): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) {
    const value = values[indexes[i]!]!
    const decode = decoders[i]
    row[names[i]!] = decode === undefined || value === null ? readValue(value) : decode(value)
  }
  return row
}

/** Assigning to `__proto__` would set the prototype of the row. */
function readRowSafely(...args: Parameters<typeof readRow>): Record<string, unknown> {
  const [names, indexes, decoders, values] = args
  const row: Record<string, unknown> = {}
  for (const [i, name] of names.entries()) {
    Object.defineProperty(row, name, {
      value: readRow(['value'], [indexes[i]!], [decoders[i]], values)['value'],
      configurable: true,
      enumerable: true,
      writable: true,
    })
  }
  return row
}
