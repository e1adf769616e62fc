import { DurableObject } from 'cloudflare:workers'
// Written by the runner: the default export of each file in workloads/, by file name.
import { files } from 'bench:workloads'
import type { BenchRequest, WorkloadDescription } from './protocol.ts'
import type { Operation, Workload } from './workload.ts'

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
    if (workload.cold !== true) {
      this.#operation ??= this.#makeOperation(request)
    }
  }

  async run(request: BenchRequest): Promise<void> {
    const operation = (this.#operation ??= this.#makeOperation(request))
    const { operations, cold } = workloadOf(request)
    const count = cold === true ? 1 : operations
    for (let i = 0; i < count; i++) {
      const result = operation(i)
      this.#last = result instanceof Promise ? await result : result
    }
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
    return workloadOf(request).variants[request.variant]!(this.ctx.storage)
  }
}

function describe(name: string): WorkloadDescription {
  const { title, order, operations, onlyByName = false, variants } = workloads.get(name)!
  return { name, title, order, operations, onlyByName, variants: Object.keys(variants) }
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
        for (const object of objects) {
          await object.run(bench)
        }
        return new Response()
      case 'check':
        return new Response(await objects[0]!.check(bench))
    }
  },
}
