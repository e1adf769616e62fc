import {
  ColumnNode,
  ColumnUpdateNode,
  DefaultInsertValueNode,
  type InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  RawNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { ColumnDefault } from './column-default.js'
import { encode, outputOf } from './expressions.js'
import { columnNameOf, mapList } from './nodes.js'
import { isStar } from './output.js'
import { type Column, keyOf, type TableColumns } from './table-columns.js'

/** Encodes the rows of an insert, and supplies the columns that they leave out. */
export class InsertRows {
  readonly #isLate: boolean
  #hasDefaults = false

  /** @param isLate Whether defaults are left to be called when the query runs. */
  constructor(isLate: boolean) {
    this.#isLate = isLate
  }

  /** Whether a default was used, or an `onUpdate`. */
  get hasDefaults(): boolean {
    return this.#hasDefaults
  }

  encodeInsert(insert: InsertQueryNode, table: TableColumns): InsertQueryNode {
    const { columns = [], values, defaultValues } = insert
    const missing = notAmong(table.withDefault, columns)
    if (defaultValues === true && missing.length > 0) {
      const { defaultValues: _, ...node } = insert
      return {
        ...node,
        columns: missing.map(({ name }) => ColumnNode.create(name)),
        values: ValuesNode.create([this.#withDefaults(ValueListNode.create([]), missing, table)]),
      }
    }
    if (values === undefined || insert.columns === undefined) {
      return insert
    }
    const targets = columns.map(({ column }) => table.column(column.name))
    if (!ValuesNode.is(values)) {
      return this.#encodeSelect(insert, values, targets, missing, table)
    }
    return {
      ...insert,
      columns: [...columns, ...missing.map(({ name }) => ColumnNode.create(name))],
      values: ValuesNode.create(
        values.values.map((row) =>
          this.#withDefaults(this.#encodeRow(row, targets, table), missing, table),
        ),
      ),
    }
  }

  /** What an update sets beside what it says. */
  onUpdate(updates: readonly ColumnUpdateNode[], table: TableColumns): ColumnUpdateNode[] {
    return notAmong(
      table.withOnUpdate,
      updates.map(({ column }) => column),
    ).map((column) =>
      ColumnUpdateNode.create(
        ColumnNode.create(column.name),
        this.#call(column, column.onUpdate!, table),
      ),
    )
  }

  #encodeRow(
    row: ValuesNode['values'][number],
    targets: readonly (Column | undefined)[],
    table: TableColumns,
  ): ValuesNode['values'][number] {
    if (PrimitiveValueListNode.is(row)) {
      const values = mapList(row.values, (value, i) => {
        const codec = targets[i]?.codec
        return codec === undefined ? value : codec.encode(value)
      })
      return values === row.values ? row : { ...row, values }
    }
    return ValueListNode.create(
      row.values.map((value, i) => {
        const target = targets[i]
        if (target?.default !== undefined && DefaultInsertValueNode.is(value)) {
          return this.#call(target, target.default, table)
        }
        return target?.codec === undefined ? value : encode(value, target.codec)
      }),
    )
  }

  #withDefaults(
    row: ValuesNode['values'][number],
    missing: readonly Column[],
    table: TableColumns,
  ): ValuesNode['values'][number] {
    if (missing.length === 0) {
      return row
    }
    const defaults = missing.map((column) => this.#call(column, column.default!, table))
    if (PrimitiveValueListNode.is(row)) {
      return defaults.every(ValueNode.is)
        ? { ...row, values: [...row.values, ...defaults.map(({ value }) => value)] }
        : ValueListNode.create([...row.values.map(ValueNode.create), ...defaults])
    }
    return ValueListNode.create([...row.values, ...defaults])
  }

  #call(column: Column, call: () => unknown, table: TableColumns): OperationNode {
    this.#hasDefaults = true
    const value = new ColumnDefault(`${table.name}.${column.name}`, call, column.codec)
    if (!this.#isLate) {
      return ValueNode.create(value.call())
    }
    const node = ValueNode.create(value)
    return value.isInteger ? RawNode.create(['cast(', ' as integer)'], [node]) : node
  }

  #encodeSelect(
    insert: InsertQueryNode,
    select: OperationNode,
    targets: readonly (Column | undefined)[],
    missing: readonly Column[],
    table: TableColumns,
  ): InsertQueryNode {
    const [column] = missing
    if (column !== undefined) {
      throw new DurableObjectSqliteError(
        'ERR_COLUMN_DEFAULT',
        `${table.name}.${column.name} has a default, which cannot be called for the rows of a ` +
          `select. Name the column, and select a value for it.`,
      )
    }
    if (
      !SelectQueryNode.is(select) ||
      select.selections === undefined ||
      outputOf(select)?.some(isStar) === true
    ) {
      return insert
    }
    const selections = mapList(select.selections, (selection, i) => {
      const codec = targets[i]?.codec
      return codec === undefined
        ? selection
        : {
            ...selection,
            selection: encode(selection.selection, codec) as typeof selection.selection,
          }
    })
    return { ...insert, values: { ...select, selections } as SelectQueryNode }
  }
}

function notAmong(columns: readonly Column[], given: readonly OperationNode[]): readonly Column[] {
  if (columns.length === 0) {
    return columns
  }
  const names = new Set(given.map((node) => keyOf(columnNameOf(node) ?? '')))
  return columns.filter(({ name }) => !names.has(keyOf(name)))
}
