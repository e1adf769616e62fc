import type { SqliteParameter } from '../statement/parameters.js'
import { MAX_VALUE_BYTES } from '../platform/limits.js'

/** A value that JSON has no notation for: the only objects that can be bound. */
export type Blob = ArrayBuffer | ArrayBufferView

export function isBlob(value: unknown): value is Blob {
  return typeof value === 'object' && value !== null
}

const PLAIN_TEXT = /^[\u0020\u0021\u0023-\u005b\u005d-\ud7ff]*$/

/** Whether the text is JSON as it is when quoted, and has no surrogates. */
export function isPlainText(text: string): boolean {
  return PLAIN_TEXT.test(text)
}

/**
 * The value as JSON that SQLite reads as the very value: a number stays a REAL as if it were bound
 * (`5.0`), and `9e999` is how SQLite itself writes infinity.
 *
 * https://www.sqlite.org/json1.html
 */
export function toJson(value: Exclude<SqliteParameter, Blob>): string {
  switch (typeof value) {
    case 'string':
      return isPlainText(value) ? `"${value}"` : JSON.stringify(value)
    case 'number':
      return numberToJson(value)
    default:
      return 'null'
  }
}

function numberToJson(value: number): string {
  if (Number.isInteger(value)) {
    if (value === 0) {
      return Object.is(value, -0) ? '-0.0' : '0.0'
    }
    const digits = String(value)
    return digits.includes('e') ? digits : `${digits}.0`
  }
  if (Number.isFinite(value)) {
    return String(value)
  }
  return value > 0 ? '9e999' : '-9e999'
}

const HEX_DIGITS = new TextEncoder().encode('0123456789abcdef')

/** The bytes as a JSON string of hexadecimal digits, for `unhex()`. */
function blobToJson(blob: Blob): string {
  const bytes = ArrayBuffer.isView(blob)
    ? new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
    : new Uint8Array(blob)
  const digits = new Uint8Array(bytes.length * 2)
  for (const [i, byte] of bytes.entries()) {
    digits[i * 2] = HEX_DIGITS[byte >> 4]!
    digits[i * 2 + 1] = HEX_DIGITS[byte & 15]!
  }
  return `"${new TextDecoder().decode(digits)}"`
}

/** The most bytes that a text of this length can have: no UTF-16 unit takes more than 3. */
const MAX_BYTES_PER_UNIT = 3

/** Below this length the size of a text is estimated: counting would cost more than it saves. */
const SHORT_TEXT = 1000

/** The size in bytes of UTF-8, or for a short text the most that it can be. */
export function sizeOf(text: string): number {
  return text.length < SHORT_TEXT
    ? text.length * MAX_BYTES_PER_UNIT
    : new TextEncoder().encode(text).byteLength
}

/** The bytes of JSON that an element of a text may have. */
export const MAX_ELEMENT_BYTES = MAX_VALUE_BYTES - 10_000

/** The value as JSON, a BLOB as hexadecimal digits. Undefined where that is too large for an element. */
export function toJsonElement(value: SqliteParameter): string | undefined {
  if (isBlob(value) && value.byteLength * 2 > MAX_ELEMENT_BYTES) {
    return undefined
  }
  const json = isBlob(value) ? blobToJson(value) : toJson(value)
  return sizeOf(json) > MAX_ELEMENT_BYTES ? undefined : json
}

/** A JSON array that grows until it is as big as a value can be. */
export class JsonArray {
  readonly #elements: string[] = []
  #size = 2

  /** The index of the element, or undefined where there is no room for it. */
  add(json: string): number | undefined {
    const size = sizeOf(json) + 1
    if (this.#size + size > MAX_VALUE_BYTES && this.#elements.length > 0) {
      return undefined
    }
    this.#size += size
    return this.#elements.push(json) - 1
  }

  toString(): string {
    return `[${this.#elements.join(',')}]`
  }
}

/** The elements as JSON arrays, in order: one, unless it would be too big. */
export function inDocuments(elements: readonly string[]): JsonArray[] {
  let document = new JsonArray()
  const documents = [document]
  for (const element of elements) {
    if (document.add(element) === undefined) {
      document = new JsonArray()
      documents.push(document)
      document.add(element)
    }
  }
  return documents
}
