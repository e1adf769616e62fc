import type { Tape } from './tape.js'

const TWO_53 = 2n ** 53n
const TWO_60 = 2n ** 60n

const NUMBERS = [
  0,
  1,
  5,
  2,
  3,
  -1,
  -0,
  5.5,
  0.1,
  1e21,
  1e-7,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 60,
  -(2 ** 63),
  2 ** 63,
  Infinity,
  -Infinity,
  5e-324,
  Number.MAX_VALUE,
  1e15,
  123456789.123,
]

const BIGINTS = [
  5n,
  0n,
  1n,
  -3n,
  TWO_53 + 1n,
  TWO_53,
  TWO_60 + 1n,
  TWO_60,
  2n ** 63n - 1n,
  -(2n ** 63n),
  1000n,
]

/** Texts that look like numbers are where affinity shows, and letters of two cases where collation does. */
const TEXTS = [
  'a',
  '5',
  'A',
  '',
  'Ada',
  'ada',
  'b',
  '05',
  '5.0',
  ' 5',
  '5 ',
  '+5',
  '5e0',
  '0x5',
  '1e2',
  '-0',
  `${TWO_53 + 1n}`,
  ` +${TWO_53 + 1n}\n`,
  `${TWO_60 + 1n}`,
  `${TWO_60}`,
  `${TWO_53 + 1n}.0`,
  '99999999999999999999',
  '0000000000000000005',
  'é',
  '\u{1f600}',
  'a\0b',
  '"',
  '\\',
  "'",
  '%',
  '[1]',
  '{"a":1}',
  'null',
  'true',
  '\n',
]

const BLOBS = [[], [53], [97], [0, 255], [53, 46, 48]]

/** A value of any type that can be bound. */
export function anyValue(tape: Tape): unknown {
  switch (tape.next(8)) {
    case 0:
    case 1:
      return tape.pick(NUMBERS)
    case 2:
    case 3:
      return tape.pick(TEXTS)
    case 4:
      return tape.pick(BIGINTS)
    case 5:
      return tape.pick([null, null, true, false, undefined])
    case 6:
      return new Uint8Array(tape.pick(BLOBS))
    default:
      return randomValue(tape)
  }
}

function randomValue(tape: Tape): unknown {
  switch (tape.next(4)) {
    case 0:
      return tape.next(40)
    case 1: {
      const number = new Float64Array(
        new Uint32Array([tape.next(2 ** 31) * 2, tape.next(2 ** 31) * 2 + 1]).buffer,
      )[0]!
      return Number.isNaN(number) ? 0 : number
    }
    case 2:
      return BigInt.asIntN(64, BigInt(tape.next(2 ** 31)) * BigInt(tape.next(2 ** 31)) * 7n)
    default:
      return String(tape.next(2 ** 31) * tape.next(2 ** 31))
  }
}

/** Values of one type, as lists mostly are, or of any. */
export function valuesOf(tape: Tape, count: number): unknown[] {
  const fork = tape.fork()
  const type = tape.next(6)
  return Array.from({ length: count }, (_, i) => {
    switch (type) {
      case 0:
        return i % 50
      case 1:
        return fork.oneIn(9) ? null : fork.pick(TEXTS)
      case 2:
        return fork.oneIn(2) ? fork.pick(BIGINTS) : BigInt(i)
      case 3:
        return fork.oneIn(9) ? null : new Uint8Array(fork.pick(BLOBS))
      case 4:
        return fork.pick(NUMBERS)
      default:
        return anyValue(fork)
    }
  })
}

/** As an outcome that can be compared and sent: `5`, `"5"`, `x'35'`, `null`. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      // As the platform reads an integer.
      return String(Number(value))
    case 'object':
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
        const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)
        return `x'${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}'`
      }
  }
  return String(value)
}
