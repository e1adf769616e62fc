import {
  type AliasableExpression,
  type Expression,
  ExpressionWrapper,
  type OperationNode,
  RawNode,
  ValueNode,
} from 'kysely'
import { LateValue } from '../statement/late-value.js'
import type { Codec } from './codec.js'

/** Carries a codec through Kysely's plugins, which copy nodes but not what is added to them. */
class CodecMark extends LateValue {
  readonly refusal = [
    'withCodec() of a dialect without columns',
    'Give the dialect the option columns: new DurableObjectSqliteDialect(ctx.storage, { columns })',
  ] as const
  readonly codec: Codec<never>

  constructor(codec: Codec<never>) {
    super()
    this.codec = codec
  }
}

/**
 * The type that {@link withCodec} gives an expression: `C`, the type of the codec, and `null` if the
 * expression may be NULL, which never reaches a codec.
 */
export type Decoded<T, C> = unknown extends T ? C : null extends T ? C | null : C

/**
 * Gives an expression a codec, which reads its values and writes the values that it is compared with.
 * Use it for raw SQL, and for functions whose results the dialect cannot trace to a column.
 *
 * Without the option `columns` in the dialect, the query rejects with `ERR_UNSUPPORTED_PARAMETER`.
 *
 * ### Examples
 *
 * ```ts
 * import { Kysely, sql } from 'kysely'
 * import { DurableObjectSqliteDialect } from 'kysely-durable-sqlite'
 * import { columnTypes, date, withCodec } from 'kysely-durable-sqlite/columns'
 *
 * const columns = columnTypes<Database>({})
 * const db = new Kysely<Database>({
 *   dialect: new DurableObjectSqliteDialect(ctx.storage, { columns }),
 * })
 *
 * const { at } = await db
 *   .selectNoFrom(withCodec(sql<string>`current_timestamp`, date('sqlite')).as('at'))
 *   .executeTakeFirstOrThrow()
 * ```
 *
 * The generated SQL:
 *
 * ```sql
 * select current_timestamp as `at`
 * ```
 */
export function withCodec<T, C>(
  expression: Expression<T>,
  codec: Codec<C>,
): AliasableExpression<Decoded<T, C>> {
  return new ExpressionWrapper<unknown, never, Decoded<T, C>>(
    RawNode.create(
      ['', '', ''],
      [
        expression.toOperationNode(),
        ValueNode.create(new CodecMark(codec as unknown as Codec<never>)),
      ],
    ),
  )
}

/** What was given to `withCodec()`, if the node is what it made. */
export function findWithCodec(
  node: RawNode,
): { readonly expression: OperationNode; readonly codec: Codec<unknown> } | undefined {
  const [expression, mark] = node.parameters
  return expression !== undefined &&
    mark !== undefined &&
    ValueNode.is(mark) &&
    mark.value instanceof CodecMark
    ? { expression, codec: mark.value.codec as unknown as Codec<unknown> }
    : undefined
}
