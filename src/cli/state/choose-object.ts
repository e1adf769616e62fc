import type { TableSchema } from '../../schema/introspect-schema.js'
import { UsageError } from '../usage-error.js'
import { listing, type LocalObject } from './local-state.js'

export interface ChosenObject {
  readonly tables: readonly TableSchema[]
  /** Objects of the class whose schema is another: these are migrated less far. */
  readonly others: readonly LocalObject[]
}

/**
 * The object whose schema is that of the class: any if all have one schema, else the one that has
 * applied the most migrations. Throws `UsageError` where that does not tell.
 */
export function chooseObject(objects: readonly LocalObject[], root: string): ChosenObject {
  const unreadable = objects.find(({ error }) => error !== undefined)
  if (unreadable?.error !== undefined) {
    throw new UsageError(unreadable.error)
  }
  const bySchema = Map.groupBy(objects, ({ content }) => JSON.stringify(content?.tables))
  const [first] = objects
  if (bySchema.size === 1) {
    return { tables: tablesOf(first!), others: [] }
  }
  const classes = new Set(objects.map(({ workerAndClass }) => workerAndClass))
  if (classes.size > 1) {
    throw new UsageError(
      `There are several classes in ${root}. Choose one with --class.\n${listing(objects)}`,
    )
  }
  const furthest = Math.max(...objects.map(appliedCount))
  const candidates = [...bySchema.values()].filter((group) =>
    group.some((object) => appliedCount(object) === furthest),
  )
  const [chosen, ...rivals] = candidates
  if (chosen === undefined || rivals.length > 0) {
    throw new UsageError(
      `The objects of the class in ${root} have different schemas, and none has applied more migrations ` +
        `than the others. Choose one with --object.\n${listing(objects)}`,
    )
  }
  return {
    tables: tablesOf(chosen[0]!),
    others: objects.filter((object) => !chosen.includes(object)),
  }
}

function tablesOf({ content }: LocalObject): readonly TableSchema[] {
  return content?.tables ?? []
}

function appliedCount({ content }: LocalObject): number {
  return content?.journal?.length ?? 0
}
