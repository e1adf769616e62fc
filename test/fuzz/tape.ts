/**
 * The choices that make a random query, read from first to last. At its end every choice is the first,
 * the simplest, so that a shorter tape with smaller numbers is a simpler query: fast-check shrinks it.
 */
export class Tape {
  readonly #numbers: readonly number[]
  #position = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A number from 0, and less than the count. */
  next(count: number): number {
    return (this.#numbers[this.#position++] ?? 0) % count
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.next(choices.length)]!
  }

  /** True in one of so many cases. */
  oneIn(count: number): boolean {
    return this.next(count) === count - 1
  }

  between(min: number, max: number): number {
    return min + this.next(max - min + 1)
  }

  list<T>(min: number, max: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.between(min, max) }, (_, i) => make(i))
  }

  /** A tape as long as one likes, made of one number of this one. */
  fork(): Tape {
    let state = this.next(2 ** 31) + 1
    const fork = new Tape([])
    fork.next = (count) => {
      // https://en.wikipedia.org/wiki/Xorshift
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) % count
    }
    return fork
  }
}
