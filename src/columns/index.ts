/**
 * What columns mean in JavaScript: booleans, dates, JSON, 64-bit integers, defaults.
 *
 * @module
 */
export type { Codec, ColumnOptions, PlainColumn, StorableValue, StoredValue } from './codec.js'
export { boolean, codec, type CodecDefinition, column, int64 } from './codecs.js'
export {
  columnTypes,
  type ColumnsOfTable,
  type ColumnsOfTables,
  type ColumnTypesOptions,
} from './column-types.js'
export { date, type DateFormat } from './date.js'
export { json } from './json.js'
export { type Decoded, withCodec } from './with-codec.js'
export type { DurableObjectSqliteColumns } from '../statement/query-columns.js'
