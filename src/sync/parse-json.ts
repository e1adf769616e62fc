import {
  ParseJSONResultsPlugin,
  type PluginTransformResultArgs,
  type QueryResult,
  type UnknownRow,
} from 'kysely'

type ParseJsonOptions = NonNullable<ConstructorParameters<typeof ParseJSONResultsPlugin>[0]>

type ParseJson = (args: PluginTransformResultArgs) => QueryResult<UnknownRow>

/**
 * What the plugin resolves to, without its promise. All its work is done before that, and with
 * `objectStrategy: 'in-place'` it leaves the work in the rows that it was given. Undefined for a Kysely
 * in which that is not so.
 *
 * https://github.com/kysely-org/kysely/blob/master/src/plugin/parse-json-results/parse-json-results-plugin.ts
 */
export function parseJsonInPlace(plugin: ParseJSONResultsPlugin): ParseJson | undefined {
  const { shouldParse, ...options } = optionsOf(plugin)
  const failures: unknown[] = []
  const inPlace = new ParseJSONResultsPlugin({
    ...options,
    objectStrategy: 'in-place',
    // What it throws, and what is no JSON although it says so, reject the promise.
    ...(shouldParse && {
      shouldParse: (value: string, path: string): boolean => {
        try {
          const is = shouldParse(value, path)
          if (is && failures.length === 0) {
            JSON.parse(value, options.reviver)
          }
          return is && failures.length === 0
        } catch (error) {
          failures.push(error)
          return false
        }
      },
    }),
  })
  const parse: ParseJson = ({ queryId, result }) => {
    // They may be another plugin's.
    const rows =
      options.objectStrategy === 'create' ? result.rows.map((row) => ({ ...row })) : result.rows
    failures.length = 0
    void inPlace.transformResult({ queryId, result: { ...result, rows } })
    if (failures.length > 0) {
      throw failures[0]
    }
    return { ...result, rows }
  }
  return isDoneAtOnce() ? parse : undefined
}

/** Kysely 0.28 has other options, and another name for them. */
function optionsOf(plugin: ParseJSONResultsPlugin): ParseJsonOptions {
  const { options, opt } = plugin as unknown as Partial<Record<'options' | 'opt', ParseJsonOptions>>
  return options ?? opt ?? {}
}

function isDoneAtOnce(): boolean {
  const row: UnknownRow = { json: '[]' }
  void new ParseJSONResultsPlugin().transformResult({
    queryId: { queryId: '' },
    result: { rows: [row] },
  })
  return typeof row['json'] !== 'string'
}
