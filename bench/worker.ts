import { DurableObject } from 'cloudflare:workers'
// Written by the runner: the default export of each file in workloads/, by file name.
import { files } from 'bench:workloads'
import { RemoteDatabase } from 'kysely-durable-sqlite/remote'
import { kyselyDurableSqlite } from './clients.ts'
import type { BenchRequest, WorkloadDescription } from './protocol.ts'
import { forms } from './row-forms.ts'
import type { Operation, RemoteObject, Workload } from './workload.ts'

type Row = Record<string, SqlStorageValue>

interface Env {
  readonly OBJECT: DurableObjectNamespace<BenchObject>
}

const workloads = new Map<string, Workload>(
  Object.entries(files).flatMap(([file, workloads]) =>
    workloads.map((workload, index) => [`${file}/${index}`, workload]),
  ),
)

function workloadOf({ workload }: BenchRequest): Workload {
  return workloads.get(workload)!
}

/** Runs one variant of one workload. */
export class BenchObject extends DurableObject<Env> {
  #operation: Operation | undefined
  #last: unknown

  async setup(request: BenchRequest): Promise<void> {
    const { storage } = this.ctx
    const workload = workloadOf(request)
    await workload.setup(storage)
    if (workload.cold !== true && workload.variants !== undefined) {
      this.#operation ??= this.#makeOperation(request)
    }
  }

  async run(request: BenchRequest): Promise<void> {
    const operation = (this.#operation ??= this.#makeOperation(request))
    const { operations, cold } = workloadOf(request)
    this.#last = await repeat(operation, cold === true ? 1 : operations)
  }

  /** What the remote workloads call. */
  remote(): RemoteDatabase {
    const db = kyselyDurableSqlite(this.ctx.storage)
    return new RemoteDatabase(db, this.ctx.storage)
  }

  /** A method as one writes it by hand, for one query. */
  rows(query: string, ...bindings: unknown[]): Row[] {
    return this.ctx.storage.sql.exec(query, ...bindings).toArray()
  }

  /** The same for several, in one transaction. */
  rowsOfAll(queries: readonly [string, ...unknown[]][]): Row[][] {
    return this.ctx.storage.transactionSync(() =>
      queries.map(([query, ...bindings]) => this.rows(query, ...bindings)),
    )
  }

  /** Nothing: the first of two calls a query. */
  initialize(): void {}

  /** One of the forms in which rows may travel. */
  form(name: keyof typeof forms): unknown {
    return forms[name].send(this.ctx.storage)
  }

  async check(request: BenchRequest): Promise<string> {
    const workload = workloadOf(request)
    const value = workload.check === undefined ? this.#last : await workload.check(this.ctx.storage)
    return JSON.stringify(value) ?? 'nothing'
  }

  /** Puts the object to sleep: the next request makes a new instance. */
  async sleep(): Promise<void> {
    await this.ctx.storage.sync()
    this.ctx.abort('sleep')
  }

  #makeOperation(request: BenchRequest): Operation {
    return workloadOf(request).variants![request.variant]!(this.ctx.storage)
  }
}

async function repeat(operation: Operation, count: number): Promise<unknown> {
  let last: unknown
  for (let i = 0; i < count; i++) {
    const result = operation(i)
    last = result instanceof Promise ? await result : result
  }
  return last
}

/** What the last operation of each variant of a remote workload returned. */
const remoteResults = new Map<string, unknown>()

/** In the Worker, as the operations of a remote workload are. */
async function runRemote(request: BenchRequest, object: RemoteObject): Promise<void> {
  const { operations, remoteVariants } = workloadOf(request)
  const operation = remoteVariants![request.variant]!(object)
  const last = await repeat(operation, operations)
  remoteResults.set(`${request.workload} ${request.variant}`, last)
}

async function checkRemote(request: BenchRequest, object: RemoteObject): Promise<string> {
  return workloadOf(request).check === undefined
    ? JSON.stringify(remoteResults.get(`${request.workload} ${request.variant}`))
    : object.check(request)
}

function describe(name: string): WorkloadDescription {
  const workload = workloads.get(name)!
  const { title, order, operations, variants, remoteVariants = {} } = workload
  return {
    name,
    title,
    order,
    operations,
    onlyByName: workload.onlyByName ?? false,
    inSummary: workload.inSummary ?? false,
    variants: Object.keys(variants ?? remoteVariants),
  }
}

/** The objects that one variant uses: one, or as many as there are operations for a cold workload. */
function objectsOf(request: BenchRequest, env: Env): DurableObjectStub<BenchObject>[] {
  const { cold, operations } = workloadOf(request)
  return Array.from({ length: cold === true ? operations : 1 }, (_, index) =>
    env.OBJECT.getByName(`${request.workload}/${request.variant}/${index}`),
  )
}

async function sleep(object: DurableObjectStub<BenchObject>): Promise<void> {
  try {
    await object.sleep()
  } catch {
    // The caller of an object that is aborted gets an error.
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const bench = await request.json<BenchRequest>()
    if (bench.action === 'list') {
      return Response.json([...workloads.keys()].map((name) => describe(name)))
    }
    const objects = objectsOf(bench, env)
    const isRemote = workloadOf(bench).remoteVariants !== undefined
    switch (bench.action) {
      case 'setup':
        for (const object of objects) {
          await object.setup(bench)
          if (workloadOf(bench).cold === true) {
            await sleep(object)
          }
        }
        return new Response()
      case 'run':
        if (isRemote) {
          await runRemote(bench, objects[0]!)
          return new Response()
        }
        for (const object of objects) {
          await object.run(bench)
        }
        return new Response()
      case 'check':
        return new Response(
          await (isRemote ? checkRemote(bench, objects[0]!) : objects[0]!.check(bench)),
        )
    }
  },
}
