/** What all runs of one statement cost together. */
export interface StatementCost {
  /** The SQL text, without values. */
  readonly sql: string
  /** How often it ran. */
  readonly runs: number
  /** Rows that all runs read, including those of indexes. */
  readonly rowsRead: number
  /** Rows that all runs wrote, including those of indexes. */
  readonly rowsWritten: number
}

/** The `sql` of what the cheapest cost, where there are more statements than are kept apart. */
const OTHERS = '(other statements)'

const MAX_STATEMENTS = 1000
/** UTF-16 code units, of all texts together. */
const MAX_TEXT = 1_000_000

/**
 * A row written costs as much as so many rows read: $1.00 and $0.001 for a million.
 *
 * https://developers.cloudflare.com/durable-objects/platform/pricing/#sqlite-storage-backend
 */
const READS_PER_WRITE = 1000

interface Sum {
  sql: string
  runs: number
  rowsRead: number
  rowsWritten: number
}

/** Adds up what statements cost, within a fixed amount of memory. */
export class StatementCosts {
  readonly #total: Sum = zero('')
  /** By SQL text. */
  readonly #sums = new Map<string, Sum>()
  #text = 0

  get rowsRead(): number {
    return this.#total.rowsRead
  }

  get rowsWritten(): number {
    return this.#total.rowsWritten
  }

  add(sql: string, rowsRead: number, rowsWritten: number): void {
    const total = this.#total
    total.rowsRead += rowsRead
    total.rowsWritten += rowsWritten
    let sum = this.#sums.get(sql)
    if (sum === undefined) {
      sum = this.#start(sql)
    }
    sum.runs++
    sum.rowsRead += rowsRead
    sum.rowsWritten += rowsWritten
  }

  /** The costliest first, at Cloudflare's prices. */
  report(): StatementCost[] {
    return [...this.#sums.values()].map((sum) => ({ ...sum })).toSorted(byPrice)
  }

  /** The statement with the most rows of one kind. */
  costliest(rows: 'rowsRead' | 'rowsWritten'): StatementCost | undefined {
    return [...this.#sums.values()].toSorted((a, b) => b[rows] - a[rows])[0]
  }

  #start(sql: string): Sum {
    this.#text += sql.length
    if (this.#sums.size >= MAX_STATEMENTS || this.#text > MAX_TEXT) {
      this.#fold()
    }
    const sum = zero(sql)
    this.#sums.set(sql, sum)
    return sum
  }

  /** Makes one entry of the cheaper half. */
  #fold(): void {
    const others = this.#sums.get(OTHERS) ?? zero(OTHERS)
    this.#sums.delete(OTHERS)
    const sums = this.report()
    for (const { sql, runs, rowsRead, rowsWritten } of sums.slice(Math.floor(sums.length / 2))) {
      others.runs += runs
      others.rowsRead += rowsRead
      others.rowsWritten += rowsWritten
      this.#sums.delete(sql)
      this.#text -= sql.length
    }
    this.#sums.set(OTHERS, others)
  }
}

function zero(sql: string): Sum {
  return { sql, runs: 0, rowsRead: 0, rowsWritten: 0 }
}

function byPrice(a: StatementCost, b: StatementCost): number {
  return price(b) - price(a)
}

function price({ rowsRead, rowsWritten }: StatementCost): number {
  return rowsRead + READS_PER_WRITE * rowsWritten
}
