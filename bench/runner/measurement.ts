/** How much longer than the first variant another took: the quartiles over all rounds. */
export interface Ratio {
  readonly variant: string
  readonly low: number
  readonly median: number
  readonly high: number
}

/** What was measured of one workload. */
export interface Measurement {
  readonly title: string
  readonly rounds: number
  /** Microseconds for one operation of the first variant. */
  readonly base: number
  readonly ratios: readonly Ratio[]
}
