/** What the runner asks the worker for. */
export interface BenchRequest {
  readonly action: 'list' | 'setup' | 'run' | 'check'
  readonly workload: string
  readonly variant: string
}

/** The answer to `list` has one for each workload: all but its functions. */
export interface WorkloadDescription {
  readonly name: string
  readonly title: string
  readonly order: number
  readonly operations: number
  readonly onlyByName: boolean
  readonly inSummary: boolean
  readonly variants: readonly string[]
}
