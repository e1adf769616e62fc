/** What the runner asks the worker for. */
export interface BenchRequest {
  readonly action: 'describe' | 'setup' | 'run' | 'check'
  readonly workload: string
  readonly variant: string
}

/** The answer to `describe`: a workload without its functions. */
export interface WorkloadDescription {
  readonly title: string
  readonly order: number
  readonly operations: number
  readonly variants: readonly string[]
}
