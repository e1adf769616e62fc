import { check, Refusal } from './answer.js'
import { importedTasks } from './actions.js'
import type { Tenant } from './tenant/tenant.js'

const ROWS = 200

/** Sends the lines of an export to the tenant, some at a time, and returns how many tasks were new. */
export async function importLines(
  body: ReadableStream<Uint8Array> | null,
  tenant: DurableObjectStub<Tenant>,
): Promise<number> {
  let count = 0
  let tasks: unknown[] = []
  const flush = async (): Promise<void> => {
    const input = { tasks }
    tasks = []
    await check(importedTasks, input)
    const answer = await tenant.importTasks(input)
    if ('refusal' in answer) {
      throw new Refusal(answer.refusal)
    }
    count += answer.value
  }
  for await (const line of lines(body ?? new Blob([]).stream())) {
    tasks.push(parse(line))
    if (tasks.length === ROWS) {
      await flush()
    }
  }
  await flush()
  return count
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Refusal('A line is not JSON.')
  }
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts.filter((part) => part !== '')
  }
  if (rest !== '') {
    yield rest
  }
}
