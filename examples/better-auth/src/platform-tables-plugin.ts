import {
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  RawNode,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely'

const ALL_TABLES = /(\bfrom\s+)sqlite_master(\s+as\s+tables\b)/i

const TABLES_OF_THE_OBJECT = `$1(
  select * from sqlite_master where lower(name) not glob '_cf_*' and name not glob '__miniflare_*'
)$2`

/**
 * Keeps better-auth's reader of indexes away from the tables of the platform, which refuses to
 * describe them. The README names the line of better-auth that this works around.
 */
export class PlatformTablesPlugin implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return RawNode.is(node)
      ? {
          ...node,
          sqlFragments: node.sqlFragments.map((fragment) =>
            fragment.replace(ALL_TABLES, TABLES_OF_THE_OBJECT),
          ),
        }
      : node
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result
  }
}
