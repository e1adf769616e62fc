import {
  ParseJSONResultsPlugin,
  type ParseJSONResultsPluginOptions,
  type PluginTransformResultArgs,
  type QueryResult,
  type UnknownRow,
} from 'kysely'

type Transform = (args: PluginTransformResultArgs) => QueryResult<UnknownRow>

/**
 * What the plugin's `transformResult()` resolves to. It returns a promise, and has done all its work
 * by then: on the rows themselves, if its strategy is `'in-place'`. They are the dialect's own, so that
 * nobody else sees it.
 */
export function parseJsonResultsSync(plugin: ParseJSONResultsPlugin): Transform {
  // Kysely 0.28 has other options, under another name.
  const { options, opt = {} } = plugin as Partial<
    Record<'options' | 'opt', ParseJSONResultsPluginOptions>
  >
  const { shouldParse, reviver } = options ?? opt
  let failure: unknown
  const inPlace = new ParseJSONResultsPlugin({
    ...(shouldParse && { shouldParse: orNote(shouldParse) }),
    ...(reviver && { reviver: orNote(reviver) }),
    objectStrategy: 'in-place',
  })

  /** The function, whose error is noted: the plugin puts it in the promise. */
  function orNote<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      try {
        return call(...args)
      } catch (error) {
        failure = error
        throw error
      }
    }
  }

  return ({ queryId, result }) => {
    let isDone = false
    const end = {
      get end() {
        isDone = true
        return true
      },
      set end(_: boolean) {},
    }
    const rows: UnknownRow[] = [...result.rows, end]
    failure = undefined
    inPlace.transformResult({ queryId, result: { ...result, rows } }).catch(() => {})
    if (!isDone) {
      throw failure ?? new SyntaxError('ParseJSONResultsPlugin took text for JSON which is none.')
    }
    return { ...result, rows: rows.slice(0, -1) }
  }
}
