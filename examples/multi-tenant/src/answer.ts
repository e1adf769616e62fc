import type { StandardSchemaV1 } from '@standard-schema/spec'
import { DurableObjectSqliteError } from 'kysely-durable-sqlite'

/** What a client may be told. Whatever else is thrown is logged, and answered with 500. */
export class Refusal extends Error {}

/** An error loses its class on the way from an object to the Worker, so a refusal travels as data. */
export type Answer<T> = { readonly value: T } | { readonly refusal: string }

/** The arguments as the schema has them. Any validator with https://standardschema.dev will do. */
export async function check<S extends StandardSchemaV1>(
  schema: S,
  input: unknown,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const result = await schema['~standard'].validate(input)
  if (result.issues) throw new Refusal(result.issues.map(describe).join('\n'))
  return result.value
}

function describe({ path = [], message }: StandardSchemaV1.Issue): string {
  const place = path.map((part) => (typeof part === 'object' ? part.key : part)).join('.')
  return place === '' ? message : `${place}: ${message}`
}

/** Runs the action with the arguments, once they are checked. */
export async function answer<S extends StandardSchemaV1, T>(
  schema: S,
  input: unknown,
  action: (args: StandardSchemaV1.InferOutput<S>) => T | Promise<T>,
): Promise<Answer<T>> {
  try {
    return { value: await action(await check(schema, input)) }
  } catch (error) {
    if (error instanceof Refusal) {
      return { refusal: error.message }
    }
    if (error instanceof DurableObjectSqliteError && error.code === 'ERR_BUDGET_EXCEEDED') {
      return { refusal: 'That is too much at once.' }
    }
    throw error
  }
}
