import { Parameter, Slot, type Token } from './statement.js'

/** What is written for one value of a row: SQL with slots, and the JSON of what goes in them. */
export interface Cell {
  readonly tokens: readonly Token[]
  readonly values: readonly string[]
}

const VALUE: readonly Token[] = [new Slot(0)]

/** The cell that is a value and nothing else. */
export function valueCell(json: string): Cell {
  return { tokens: VALUE, values: [json] }
}

/** Cells with this in common are written by the same SQL. */
type ShapeKey = string | symbol

interface Shape {
  readonly index: number
  readonly tokens: readonly Token[]
}

/**
 * A column of rows that travel as JSON. Its cells are plain JSON values if that says all; otherwise
 * arrays, of the number of the cell's shape and the values for its slots.
 */
export class RowColumn {
  readonly #index: number
  readonly #cells: readonly Cell[]
  readonly #shapes = new Map<ShapeKey, Shape>()
  readonly #shapeOfRow: Shape[] = []
  readonly #isPlain: boolean

  constructor(index: number, cells: readonly Cell[]) {
    this.#index = index
    this.#cells = cells
    for (const { tokens } of cells) {
      const key = shapeKey(tokens)
      let shape = this.#shapes.get(key)
      if (shape === undefined) {
        shape = { index: this.#shapes.size, tokens }
        this.#shapes.set(key, shape)
      }
      this.#shapeOfRow.push(shape)
    }
    this.#isPlain = this.#shapes.size === 1 && this.slotCount <= 1
  }

  /** How many values the cells have, at most. */
  get slotCount(): number {
    return Math.max(0, ...Array.from(this.#shapes.values(), ({ tokens }) => countSlots(tokens)))
  }

  /** The SQL that all cells have in common, if they do. */
  get onlyShape(): readonly Token[] | undefined {
    const [shape, ...others] = this.#shapes.values()
    return others.length === 0 ? shape?.tokens : undefined
  }

  /** The JSON of the cell in that row. */
  toJson(row: number): string {
    const { values } = this.#cells[row]!
    return this.#isPlain
      ? (values[0] ?? 'null')
      : `[${[this.#shapeOfRow[row]!.index, ...values].join(',')}]`
  }

  /** The SQL that reads a slot out of the row, which is a JSON array. */
  slotSql(row: string, slot: number): string {
    return this.#isPlain ? `${row} ->> ${this.#index}` : this.#elementSql(row, slot + 1)
  }

  /** The SQL that reads the cell out of the row. */
  cellSql(row: string): Token[] {
    const [shape, ...others] = this.#shapes.values()
    const toSql = ({ tokens }: Shape): Token[] =>
      fillSlots(tokens, (slot) => this.slotSql(row, slot))
    if (shape === undefined || others.length === 0) {
      return shape === undefined ? [] : toSql(shape)
    }
    return [
      `case ${this.#elementSql(row, 0)}`,
      ...[shape, ...others].flatMap((shape) => [` when ${shape.index} then `, ...toSql(shape)]),
      ' end',
    ]
  }

  #elementSql(row: string, element: number): string {
    return `${row} ->> '$[${this.#index}][${element}]'`
  }
}

/** The SQL with something in each slot. */
export function fillSlots(tokens: readonly Token[], toSql: (slot: number) => string): Token[] {
  return tokens.map((token) => (token instanceof Slot ? toSql(token.index) : token))
}

function countSlots(tokens: readonly Token[]): number {
  return tokens.reduce((count, token) => (token instanceof Slot ? count + 1 : count), 0)
}

/** A parameter is bound for one cell only, so that its shape is like no other. */
function shapeKey(tokens: readonly Token[]): ShapeKey {
  if (tokens === VALUE) {
    return ''
  }
  let key = ''
  for (const token of tokens) {
    if (token instanceof Parameter) {
      return Symbol('shape')
    }
    key += typeof token === 'string' ? token : '\0'
  }
  return key
}
