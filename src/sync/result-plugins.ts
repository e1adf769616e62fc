import {
  CamelCasePlugin,
  DeduplicateJoinsPlugin,
  HandleEmptyInListsPlugin,
  ParseJSONResultsPlugin,
  WithSchemaPlugin,
  type KyselyPlugin,
  type PluginTransformResultArgs,
  type QueryResult,
  type UnknownRow,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { parseJsonInPlace } from './parse-json.js'

/**
 * A Kysely plugin that can return its results without a promise. A plugin of your own works with
 * {@link SyncExecutor} if it has this method in addition to `transformResult()`. Kysely's own plugins
 * work as they are.
 */
export interface SyncResultPlugin extends KyselyPlugin {
  /** Returns what `transformResult()` resolves to. */
  transformResultSync(args: PluginTransformResultArgs): QueryResult<UnknownRow>
}

type ResultTransform = SyncResultPlugin['transformResultSync']

/** The plugins of Kysely's whose SQL depends on no value but an empty list. */
const VALUE_INDEPENDENT_PLUGINS = [
  CamelCasePlugin,
  DeduplicateJoinsPlugin,
  HandleEmptyInListsPlugin,
  ParseJSONResultsPlugin,
  WithSchemaPlugin,
]

const RESULT_INDEPENDENT_PLUGINS = [
  DeduplicateJoinsPlugin,
  HandleEmptyInListsPlugin,
  WithSchemaPlugin,
]

/** Kysely 0.28 has no such class to import. */
const SAFE_NULL_COMPARISON = 'SafeNullComparisonPlugin'

/**
 * What the plugins do to results, in their order. Throws `ERR_UNSUPPORTED_PLUGIN` for one that only
 * promises to do it.
 */
export function toResultTransforms(plugins: readonly KyselyPlugin[]): readonly ResultTransform[] {
  return plugins.flatMap((plugin) => toResultTransform(plugin) ?? [])
}

function toResultTransform(plugin: KyselyPlugin): ResultTransform | undefined {
  if (isSyncResultPlugin(plugin)) {
    return (args) => plugin.transformResultSync(args)
  }
  const { name } = plugin.constructor
  if (
    RESULT_INDEPENDENT_PLUGINS.some((known) => hasMethodOf(plugin, known, 'transformResult')) ||
    name === SAFE_NULL_COMPARISON
  ) {
    return undefined
  }
  if (
    plugin instanceof CamelCasePlugin &&
    hasMethodOf(plugin, CamelCasePlugin, 'transformResult')
  ) {
    // Protected, and all that its transformResult() does.
    return ({ result }) => ({ ...result, rows: result.rows.map((row) => plugin['mapRow'](row)) })
  }
  if (
    plugin instanceof ParseJSONResultsPlugin &&
    hasMethodOf(plugin, ParseJSONResultsPlugin, 'transformResult')
  ) {
    const parse = parseJsonInPlace(plugin)
    if (parse !== undefined) {
      return parse
    }
  }
  throw new DurableObjectSqliteError(
    'ERR_UNSUPPORTED_PLUGIN',
    `The results of the plugin ${name} can only be had through a promise, so that no query can be ` +
      'run synchronously with it. Give it a method transformResultSync(args) that returns what ' +
      'transformResult(args) resolves to, or make the SyncExecutor from db.withoutPlugins().',
  )
}

function isSyncResultPlugin(plugin: KyselyPlugin): plugin is SyncResultPlugin {
  return 'transformResultSync' in plugin && typeof plugin.transformResultSync === 'function'
}

/** Whether the plugins make the same SQL whatever the values are, lists that are not empty included. */
export function areValueIndependent(plugins: readonly KyselyPlugin[]): boolean {
  return plugins.every((plugin) =>
    VALUE_INDEPENDENT_PLUGINS.some((known) => hasMethodOf(plugin, known, 'transformQuery')),
  )
}

/** Not `instanceof`: a subclass may do something else. */
function hasMethodOf(
  plugin: KyselyPlugin,
  { prototype }: { readonly prototype: KyselyPlugin },
  method: keyof KyselyPlugin,
): boolean {
  return plugin[method] === prototype[method]
}
