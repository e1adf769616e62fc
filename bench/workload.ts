import type { BenchObject } from './worker.ts'

/** The object as a Worker has it. */
export type RemoteObject = DurableObjectStub<BenchObject>

/** Does the thing once. Returns nothing or a promise where nothing is read. */
export type Operation = (index: number) => unknown

/**
 * What is measured, in several variants. A file in `workloads/` has one, or an array of them, as its
 * default export.
 */
export interface Workload {
  /** The heading in the table and in the chart. */
  readonly title: string
  /** The place in the table and in the chart. */
  readonly order: number
  /** How often one request does the operation: such that the first variant takes 10 ms or more. */
  readonly operations: number
  /** Makes the object ready, before each round and outside of what is timed. */
  setup(storage: DurableObjectStorage): void | Promise<void>
  /**
   * By name. Each makes its operation, once for each object. The others are compared with the first.
   */
  readonly variants?: Readonly<Record<string, (storage: DurableObjectStorage) => Operation>>
  /** Instead of `variants`, of what a Worker does with an object: they run outside of it. */
  readonly remoteVariants?: Readonly<Record<string, (object: RemoteObject) => Operation>>
  /**
   * What the object holds after a request, or what the operation returned, in a form that must be the
   * same for every variant. Default: the value that the last operation returned.
   */
  check?(storage: DurableObjectStorage): unknown
  /** Whether it is left out of a run of everything. */
  readonly onlyByName?: boolean
  /** Whether it is in the small chart of the README, too. */
  readonly inSummary?: boolean
  /**
   * Whether each operation is the first thing that an object does which has just woken up. Making the
   * operation is then a part of what is timed.
   */
  readonly cold?: boolean
}
